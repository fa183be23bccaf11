package schema_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"footway/adapters/schema"
	"footway/adapters/yamlfile"
	"footway/core/config"
)

var update = flag.Bool("update", false, "write the generated files anew")

// configuration says what a configuration file is.
var configuration = schema.Options{
	Title: "Configuration of Footway", Partial: true,
	About: "Settings of the services: defaults for all markets, and per market over those.",
	As:    map[string]any{"defaults": config.DefaultSettings(), "markets.*": config.DefaultSettings()},
}

// current compares a generated file with the one in the repository.
func current(t *testing.T, path string, text []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(have)); diff != "" {
		t.Errorf("%s is out of date; run go test %s -update\n(-want +got):\n%s", path, "./adapters/schema", diff)
	}
}

const docs = "../../docs/"

func configSchema(t *testing.T) []byte {
	t.Helper()
	text, err := schema.Generate(config.File{}, configuration)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConfigSchemaIsCurrent(t *testing.T) {
	current(t, docs+"config.schema.json", configSchema(t))
}

func TestConfigReferenceIsCurrent(t *testing.T) {
	const head = `# Configuration

What operators can change of the services. This page is generated from the settings' own tags (` + "`go test ./adapters/schema -update`" + `);
so are the checks of a file, the schema that editors complete from (` + "`config.schema.json`" + `), and the sliders of the visualizer.

A configuration file is YAML. It names only what differs: ` + "`defaults`" + ` lie over the program's own, each of ` + "`markets`" + ` over those.

` + "```yaml" + `
# yaml-language-server: $schema=config.schema.json
version: 3
defaults:
  dispatch: {round_every: 20s}
markets:
  wedgwood:
    delivery:
      pricing: {flat_fee: 875}
    fleet:
      silence_after: 45s
` + "```" + `

A file is checked as a whole before any of it holds, and each mistake is named with its line and what would be right. Durations have units (` + "`90s`, `15m`, `1h30m`" + `),
money is in cents, shares are in permille. On the command line the same names change a single value of a run: ` + "`--set dispatch.round_every=30s`" + `.
A scenario has the settings of its run under ` + "`settings`" + `, in the shape of one market.

## How a fleet follows it

The file is on a disk, or an object in a bucket (` + "`s3://bucket/key`" + `); a deployment file says where. Services look for a new version every 30 seconds.
A new version holds for all of its markets at the same time, or, if anything in it is wrong, not at all: the last good one stays
in force, and the log says once what is wrong.

- **Every change needs a higher ` + "`version`" + `**, by hand too. An older number, the same number with other settings, and a change without any number are
  refused, and the error names the number to write. To go back to older settings, give them a new number. Other words for the same settings need none.
- A file is best replaced by a rename. One that is written in place is read when nobody has changed it for 200 ms, since half a file is often a good one.
  An empty file is refused. At most 1 MiB is read.
- With ` + "`configuration.keep`" + ` the last good version is kept on the local disk: a service can then start while the bucket is away, or while what is in it is
  wrong. Without a good version from either it does not start, and says why. To begin again with lower numbers, delete the copy.
- An object needs ` + "`s3:GetObject`" + `, and ` + "`s3:ListBucket`" + ` for errors that tell a missing object from a forbidden one. It is asked for by its entity tag, so that
  nothing is sent while nothing changes.

` + "```" + `
footway config check footway.yaml                                 everything that is wrong, with line and column
footway config show footway.yaml --market wedgwood --changed      what holds there, and differs from the program's own
footway config diff s3://acme-footway/production.yaml tuned.yaml  what would change, and whether the fleet would take it
` + "```" + `

## Secrets

There are none in a configuration. Where a deployment needs one it has a reference: ` + "`env:NAME`" + `, a variable of the environment, or ` + "`file:/path`" + `. Anything else is
refused, with an error that does not repeat it. Files are read anew each time, so a secret can be changed without a restart; a trailing line break does not count, and
a secret has 4 bytes to 64 KiB. A file that every user of the machine may read is warned of once, since containers get their secrets like that; one that every user may write is
refused. Logs show ` + "`[redacted]`" + ` in place of every secret that was read, of passwords in addresses and in ` + "`password=…`" + `.

## Reference

`
	current(t, docs+"configuration.md", append([]byte(head), schema.Reference(config.DefaultSettings(), configuration)...))
}

// TestConfigReferenceExample checks the file that the page shows.
func TestConfigReferenceExample(t *testing.T) {
	page, err := os.ReadFile(docs + "configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```yaml\n")
	example, _, ok := strings.Cut(after, "```")
	if !ok {
		t.Fatal("configuration.md shows no file")
	}
	doc, err := yamlfile.Parse("configuration.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(doc.Tree())
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Get("wedgwood"); s.Delivery.Pricing.FlatFee != 875 || s.Dispatch.RoundEvery != 20_000 || c.Version() != 3 {
		t.Errorf("the file that the page shows is read as %+v", s)
	}
}

// TestConfigSchemaAgrees shows that the schema refuses and allows what the program does.
func TestConfigSchemaAgrees(t *testing.T) {
	tests := []struct {
		name, text string
		good       bool
	}{
		{"empty", "version: 1", true},
		{"example", "defaults: {dispatch: {round_every: 20s, policy: nearest, lazy: false}}\nmarkets: {a: {maps: {crossing: {max_zebra: tertiary}}}}", true},
		{"empty section", "defaults: {dispatch: }", true},
		{"unknown section", "defaults: {dispach: {}}", false},
		{"unknown key", "markets: {a: {dispatch: {evry: 1s}}}", false},
		{"no unit", "defaults: {dispatch: {round_every: 20}}", false},
		{"bad duration", "defaults: {dispatch: {round_every: soon}}", false},
		{"above the most", "defaults: {delivery: {max_attempts: 21}}", false},
		{"below the least", "defaults: {delivery: {max_attempts: 0}}", false},
		{"not of the words", "defaults: {dispatch: {policy: best}}", false},
		{"text for a switch", "defaults: {dispatch: {lazy: \"yes\"}}", false},
		{"negative version", "version: -1", false},
	}
	s := compile(t, configSchema(t))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := yamlfile.Parse("f", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(doc.Tree()); (err == nil) != tt.good {
				t.Errorf("the schema says %v, want good %v", err, tt.good)
			}
			if _, err := config.Load(doc.Tree()); (err == nil) != tt.good {
				t.Errorf("the program says %v, want good %v", err, tt.good)
			}
		})
	}
}

func compile(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const name = "schema.json"
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
