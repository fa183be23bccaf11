package stores_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/adapters/schema"
	"footway/cmd/stores"
)

var update = flag.Bool("update", false, "write the generated files anew")

var shape = schema.Options{
	Title: "Deployment of Footway", Partial: false,
	About: "Where one installation keeps what it knows. Secrets are references.",
}

const head = `# Deployment

Where one installation of Footway keeps what it knows: its databases, tables and broker. The settings of the markets are another file, see
[configuration](configuration.md). This page is generated from the tags of the program (` + "`go test ./cmd/stores -update`" + `), as is the schema
that editors complete from, ` + "`deployment.schema.json`" + `. A whole example is [deploy/footway.yaml](../deploy/footway.yaml).

    footway stores prepare --config footway.yaml    make schemas, tables, exchanges and queues
    footway stores check   --config footway.yaml    can they be reached, and are they what this program expects?
    footway stores tidy    --config footway.yaml    delete what is older than its retention

**Secrets are references.** ` + "`env:NAME`" + ` is an environment variable, ` + "`file:/path`" + ` a file that only its owner can read; both are read anew for each new
connection, so that a secret can change while the program runs. A secret written into this file is refused, and no error or log shows one.

`

// TestDeploymentDocsAreCurrent compares the generated files with those in the repository.
func TestDeploymentDocsAreCurrent(t *testing.T) {
	text, err := schema.Generate(stores.DefaultDeployment(), shape)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{
		"../../docs/deployment.schema.json": text,
		"../../docs/deployment.md":          append([]byte(head), schema.Reference(stores.DefaultDeployment(), shape)...),
	} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(have)); diff != "" {
			t.Errorf("%s is out of date; run go test ./cmd/stores -update\n(-want +got):\n%s", path, diff)
		}
	}
}

// TestExampleDeployment checks the file that people begin with.
func TestExampleDeployment(t *testing.T) {
	if _, err := stores.ReadDeployment("../../deploy/footway.yaml"); err != nil {
		t.Error(err)
	}
}
