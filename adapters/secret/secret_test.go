package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"footway/adapters/secret"
	"footway/core/fault"
)

// planted is what must never be seen.
const planted = "pl4nted-S3cret"

// TestValueNeverShows prints a secret in every way, also from within structs whose
// fields fmt cannot ask, and through pointers, lists and maps.
func TestValueNeverShows(t *testing.T) {
	v := secret.Of(planted)
	type hidden struct{ v secret.Value }
	type open struct{ V secret.Value }
	shapes := []any{v, &v, hidden{v}, &hidden{v}, open{v}, &open{v}, []secret.Value{v}, map[string]secret.Value{"k": v}, []any{v}, struct{ h *hidden }{&hidden{v}}}
	for _, shape := range shapes {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10v", "%t", "%z"} {
			if text := fmt.Sprintf(verb, shape); strings.Contains(text, planted) || strings.Contains(text, fmt.Sprintf("%x", planted)) {
				t.Errorf("Sprintf(%q, %T) = %s", verb, shape, text)
			}
		}
		if text, err := json.Marshal(shape); err != nil || bytes.Contains(text, []byte(planted)) {
			t.Errorf("Marshal(%T) = %s, %v", shape, text, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", shape)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", shape)
		if strings.Contains(log.String(), planted) {
			t.Errorf("logged %T: %s", shape, &log)
		}
	}
	text, err := v.MarshalText()
	if string(text) != secret.Mask || err != nil || v.String() != secret.Mask || v.GoString() != secret.Mask || v.LogValue().String() != secret.Mask || fmt.Sprint(v) != secret.Mask {
		t.Errorf("a secret shows as %s, %v, %v", text, v, v.LogValue())
	}
	if v.Reveal() != planted || (secret.Value{}).Reveal() != "" {
		t.Errorf("Reveal = %q, want the text", v.Reveal())
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{"env:FOOTWAY_DB_PASSWORD", "env:_x9", "file:/run/secrets/db", "file:/a b:c"} {
		ref, err := secret.Parse(text)
		if err != nil || ref.String() != text {
			t.Errorf("Parse(%q) = %v, %v", text, ref, err)
		}
	}
	for _, text := range []string{"", planted, "secret:" + planted, "ENV:" + planted, "env:", "env:" + planted, "env:A B" + planted, "file:" + planted, "file:", "file:/" + planted + "/",
		"file:/" + planted + "\n", "postgres://user:" + planted + "@host", " env:A" + planted} {
		ref, err := secret.Parse(text)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "want env:NAME or file:/path") || ref != (secret.Reference{}) {
			t.Errorf("Parse(%q) = %v, %v; want fault.Invalid and what would be right", text, ref, err)
		}
		if strings.Contains(fmt.Sprint(err), planted) {
			t.Errorf("Parse(%q) repeats it: %v", text, err)
		}
	}
	var r secret.Reference
	if err := json.Unmarshal([]byte(`"env:A"`), &r); err != nil || r.String() != "env:A" {
		t.Errorf("Unmarshal = %v, %v", r, err)
	}
	if err := json.Unmarshal([]byte(`"`+planted+`"`), &r); err == nil || strings.Contains(err.Error(), planted) || r.String() != "env:A" {
		t.Errorf("Unmarshal of a secret = %v, %v; want an error that does not show it", r, err)
	}
	if err := json.Unmarshal([]byte(`""`), &r); err != nil || r != (secret.Reference{}) {
		t.Errorf("Unmarshal of nothing = %v, %v", r, err)
	}
}

func reference(t *testing.T, text string) secret.Reference {
	t.Helper()
	ref, err := secret.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "db")
	var log bytes.Buffer
	ring := new(secret.Ring)
	r := secret.NewResolver(ring, slog.New(slog.NewTextHandler(&log, nil)))
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	file := reference(t, "file:"+path)
	const spaced = " a b "
	for text, want := range map[string]string{planted: planted, planted + "\n": planted, planted + "\r\n": planted, planted + "\n\n": planted + "\n", spaced: spaced, "crs\r": "crs\r"} {
		write(text, 0o600)
		if v, err := r.Resolve(file); v.Reveal() != want || err != nil {
			t.Errorf("a file with %q is the secret %q, %v; want %q", text, v.Reveal(), err, want)
		}
	}
	t.Setenv("FOOTWAY_TEST_SECRET", planted+"\n")
	if v, err := r.Resolve(reference(t, "env:FOOTWAY_TEST_SECRET")); v.Reveal() != planted || err != nil {
		t.Errorf("Resolve(env) = %q, %v", v.Reveal(), err)
	}
	write("first-one", 0o600)
	first, _ := r.Resolve(file)
	write("second-one", 0o600)
	if second, err := r.Resolve(file); first.Reveal() != "first-one" || second.Reveal() != "second-one" || err != nil {
		t.Errorf("after a rotation the secrets are %q and %q, %v", first.Reveal(), second.Reveal(), err)
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", &log)
	}
	if shown := logged(ring, func(l *slog.Logger) { l.Info("first-one, second-one") }); strings.Contains(shown, "-one") {
		t.Errorf("secrets that were read come out: %s", shown)
	}
	for range 3 {
		write(planted, 0o644)
		if v, err := r.Resolve(file); v.Reveal() != planted || err != nil {
			t.Errorf("a file that all may read: %v", err)
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=WARN msg=\"every user of the machine may read this secret; chmod o= takes that away\" file="+path) || strings.Contains(got, planted) {
		t.Errorf("a file that all may read: logged %q, want one warning", got)
	}
}

func TestResolveMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("empty", "\n", 0o600)
	write("short", "abc\n", 0o600)
	write("open", planted, 0o602)
	write("zero", planted+"\x00", 0o600)
	write("most", strings.Repeat("x", 64<<10)+"\r\n", 0o600)
	write("large", strings.Repeat("x", 64<<10+1), 0o600)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FOOTWAY_TEST_EMPTY", "")
	tests := []struct {
		ref, want string
		kind      fault.Kind
	}{
		{"env:FOOTWAY_TEST_UNSET", "the variable is not set", fault.NotFound},
		{"env:FOOTWAY_TEST_EMPTY", "it is empty", fault.Invalid},
		{"file:" + dir + "/no", "there is no such file", fault.NotFound},
		{"file:" + dir + "/empty/no", "there is no such file", fault.NotFound},
		{"file:" + dir, "this is no file; want the path of a text file", fault.Invalid},
		{"file:" + dir + "/pipe", "this is no file", fault.Invalid},
		{"file:" + dir + "/empty", "it is empty", fault.Invalid},
		{"file:" + dir + "/short", "it has fewer than 4 bytes", fault.Invalid},
		{"file:" + dir + "/open", "every user of the machine may write it; want chmod o-w", fault.Forbidden},
		{"file:" + dir + "/zero", "there is a zero byte in it", fault.Invalid},
		{"file:" + dir + "/large", "it has more than 64 KiB; want at most that", fault.Invalid},
		{"file:" + dir + "/most", "", 0},
	}
	r := secret.NewResolver(new(secret.Ring), slog.New(slog.DiscardHandler))
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			v, err := r.Resolve(reference(t, tt.ref))
			if tt.want == "" {
				if err != nil || len(v.Reveal()) != 64<<10 {
					t.Errorf("Resolve = %d bytes, %v", len(v.Reveal()), err)
				}
				return
			}
			if want := "secret " + tt.ref + ": secret.Resolve: " + tt.want; !fault.Is(err, tt.kind) || !strings.HasPrefix(err.Error(), want) || v.Reveal() != "" {
				t.Errorf("Resolve = %v\nwant %v: %s", err, tt.kind, want)
			}
			if strings.Contains(err.Error(), planted) || strings.Contains(err.Error(), "abc") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
	if _, err := r.Resolve(secret.Reference{}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "it refers to nothing") {
		t.Errorf("Resolve(nothing) = %v", err)
	}
}
