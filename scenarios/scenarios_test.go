package scenarios_test

import (
	"bytes"
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"footway/adapters/schema"
	"footway/adapters/yamlfile"
	"footway/core/config"
	"footway/core/fault"
	"footway/core/kpi"
	"footway/core/setting"
	"footway/scenarios"
	"footway/sim/city"
	"footway/sim/scenario"
)

var update = flag.Bool("update", false, "write the generated files anew")

const schemaFile = "scenario.schema.json"

func names() []string {
	var all []string
	for _, d := range kpi.Definitions() {
		all = append(all, d.Name)
	}
	return all
}

func options() schema.Options {
	return schema.Options{
		Title: "Scenario of Footway",
		About: "One run: market, fleet, demand, world, weather, events, configuration, and what must come out.",
		As:    map[string]any{"settings": config.DefaultSettings(), "expect[].kpi": names()},
	}
}

// load reads a scenario as the program does.
func load(name string, text []byte) (*yamlfile.Document, *scenario.Scenario, error) {
	doc, err := yamlfile.Parse(name, text)
	if err != nil {
		return nil, nil, err
	}
	s := scenario.Defaults()
	if err := doc.Decode(&s); err != nil {
		return nil, nil, err
	}
	s.Fill()
	return doc, &s, doc.Explain(scenario.Problems(&s, kpi.Known)...)
}

func TestScenarios(t *testing.T) {
	onDisk, err := filepath.Glob("*.yaml")
	if err != nil || len(onDisk) < 13 || len(onDisk) != len(scenarios.Names()) {
		t.Fatalf("%d scenarios in the folder, %d in the program (%v); want the same, and 13 or more", len(onDisk), len(scenarios.Names()), err)
	}
	s := compile(t)
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			text, ok := scenarios.Read(name)
			if !ok {
				t.Fatal("a name without a file")
			}
			doc, sc, err := load(name+".yaml", text)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(doc.Tree()); err != nil {
				t.Error(err)
			}
			checkStory(t, name, string(text), sc)
			checkPlaces(t, doc, sc)
		})
	}
	if _, ok := scenarios.Read("none"); ok {
		t.Error("Read of no scenario found one")
	}
}

// checkStory wants what makes a scenario worth reading.
func checkStory(t *testing.T, name, text string, s *scenario.Scenario) {
	lines := strings.Split(text, "\n")
	if lines[0] != "# yaml-language-server: $schema="+schemaFile {
		t.Errorf("the first line is %q; want the schema, so that editors complete", lines[0])
	}
	if !strings.HasPrefix(lines[1], "# ") {
		t.Error("no comment under the first line; want what the scenario is for")
	}
	if s.Name != name || len(s.About) < 80 || len(s.Expect) < 3 {
		t.Errorf("named %q, %d letters of story, %d expectations; want %q, 80 and 3", s.Name, len(s.About), len(s.Expect), name)
	}
}

// checkPlaces looks up on the map what the scenario names.
func checkPlaces(t *testing.T, doc *yamlfile.Document, s *scenario.Scenario) {
	if s.Market.Network != "city" {
		t.Fatalf("market.network: %q; want the scenarios that come with the program to need no file", s.Market.Network)
	}
	net, err := city.Generate(1, city.Options{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i := range net.Merchants {
		known[net.Merchants[i].Name] = true
	}
	streets := map[string]bool{}
	for i := range net.Addresses {
		a := &net.Addresses[i]
		known[a.Number+" "+a.Street], streets[a.Street] = true, true
	}
	for i, o := range s.Demand.Orders {
		for _, place := range []string{o.From, o.To} {
			if !known[place] && !strings.Contains(place, "Nowhere") {
				t.Errorf("demand.orders[%d]: the city has no %q", i, place)
			}
		}
	}
	for i, e := range s.Events {
		if e.Street != "" && !streets[e.Street] {
			t.Errorf("events[%d]: the city has no %q", i, e.Street)
		}
	}
}

// TestWrittenAgain: a scenario that was read and written is the same one, in not many more lines.
func TestWrittenAgain(t *testing.T) {
	for _, name := range scenarios.Names() {
		text, _ := scenarios.Read(name)
		read := func(text []byte) scenario.Scenario {
			s := scenario.Defaults()
			doc, err := yamlfile.Parse(name, text)
			if err == nil {
				err = doc.Decode(&s)
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, text)
			}
			return s
		}
		once := read(text)
		again, err := yamlfile.Write(setting.Difference(scenario.Defaults(), once))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, read(again), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s, written again (-want +got):\n%s\nof\n%s", name, diff, again)
		}
	}
}

func generate(t *testing.T) []byte {
	t.Helper()
	text, err := schema.Generate(scenario.Defaults(), options())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(generate(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaFile, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// current compares a generated file with the one in the repository.
func current(t *testing.T, file string, text []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(have)); diff != "" {
		t.Errorf("%s is out of date; run go test ./scenarios -update\n(-want +got):\n%s", path.Base(file), diff)
	}
}

func TestSchemaIsCurrent(t *testing.T) { current(t, schemaFile, generate(t)) }

func TestReferenceIsCurrent(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`# Scenarios

A scenario is one run written down: a market, a fleet, who orders what, how everybody behaves, what goes wrong and when, and what must come out.
This page is generated from the scenario's own tags and the files in ` + "`scenarios/`" + ` (` + "`go test ./scenarios -update`" + `).

Run one by its name, ` + "`footway run lunch-rush`" + `, or by its file. Begin a file of your own with
` + "`# yaml-language-server: $schema=scenario.schema.json`" + `, and editors complete and check it. What a file does not mention has its default. Durations have units
(` + "`90s`, `15m`, `1h30m`" + `), and those in the keys of orders, events and weather count from the start. A distribution is given by its least, median, nine-of-ten and greatest value. On the command line
the same names change a single value: ` + "`--set fleet.robots=30`" + `.

## Those that come with the program

| name | story |
|---|---|
`)
	for _, name := range scenarios.Names() {
		text, _ := scenarios.Read(name)
		_, s, err := load(name, text)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("| `" + name + "` | " + s.About + " |\n")
	}
	b.WriteString("\n# Reference\n\n")
	b.Write(schema.Reference(scenario.Defaults(), options()))
	current(t, "../docs/scenarios.md", b.Bytes())
}

// FuzzScenario looks for files that crash the reader or the checks, or that are
// refused without saying that the file is to blame.
func FuzzScenario(f *testing.F) {
	for _, name := range scenarios.Names() {
		text, _ := scenarios.Read(name)
		f.Add(text)
	}
	f.Add([]byte("name: x\nfleet: {robots: 9223372036854775807, named: [{id: r1}]}\nduration: 2562047h\ndrain: 2562047h"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, s, err := load("f.yaml", text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v, want fault.Invalid", text, err)
			}
			return
		}
		if _, errs := s.Config(); len(errs) > 0 {
			t.Errorf("%q passed, and its settings are wrong: %v", text, errs)
		}
		if _, _, err := s.Begin(); err != nil {
			t.Errorf("%q passed, and it cannot begin: %v", text, err)
		}
	})
}
