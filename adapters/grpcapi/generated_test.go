package grpcapi_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// versions are in the heads of generated files, and may differ where the code does not.
var versions = regexp.MustCompile(`(?m)^//\s+[-–]?\s*protoc(-gen-go(-grpc)?)?\s+v.*\n`)

// TestGeneratedCode writes the code of the protos again, and compares it with what is committed.
func TestGeneratedCode(t *testing.T) {
	tools, err := filepath.Abs("../../.cache/bin")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, tool := range []string{"protoc", "protoc-gen-go", "protoc-gen-go-grpc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("not checked whether the generated code is current: %s is not here; make proto-tools builds the plugins", tool)
		}
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "./generate.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("generate.sh: %v\n%s", err, out)
	}
	fresh, err := filepath.Glob(filepath.Join(dir, "*.pb.go"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob("footwayv1/*.pb.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(fresh) != len(kept) || len(fresh) < 8 {
		t.Errorf("%d files are generated, %d are kept", len(fresh), len(kept))
	}
	for _, path := range fresh {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("footwayv1", filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(versions.ReplaceAll(want, nil), versions.ReplaceAll(got, nil)) {
			t.Errorf("footwayv1/%s is not what the protos say: run adapters/grpcapi/generate.sh", filepath.Base(path))
		}
	}
}
