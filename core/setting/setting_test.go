package setting

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
)

type money int64

type hours struct {
	Opens  clock.Duration `json:"opens" min:"0s" max:"24h"`
	Closes clock.Duration `json:"closes" min:"0s" max:"24h"`
}

func (h hours) Problems(path string) []error {
	if h.Opens >= h.Closes {
		return []error{fmt.Errorf("%s: opens at %v, not before it closes at %v", path, h.Opens, h.Closes)}
	}
	return nil
}

type shared struct {
	Name string `json:"name" required:"true" doc:"Who it is."`
}

type inner struct {
	RoundEvery clock.Duration   `json:"round_every" min:"1s" max:"10m" doc:"How often."`
	Policy     string           `json:"policy" enum:"nearest,rolling"`
	Share      int64            `json:"share" min:"0" max:"1000" unit:"permille"`
	Fee        money            `json:"fee" min:"0" unit:"cents"`
	Small      uint8            `json:"small" max:"9"`
	Factor     float64          `json:"factor" min:"0.5" max:"2"`
	Lazy       bool             `json:"lazy"`
	Hours      []hours          `json:"hours" required:"true"`
	Weights    []int            `json:"weights" min:"1"`
	ByName     map[string]hours `json:"by_name"`
	Maybe      *int             `json:"maybe" min:"3"`
}

type outer struct {
	shared
	Dispatch inner  `json:"dispatch"`
	Skipped  string `json:"-" required:"true"`
	Shared2  `json:""`
}

// Shared2 is embedded, so its fields are the outer struct's own.
type Shared2 struct {
	Zone string `json:"zone" required:"true"`
}

func good() outer {
	return outer{Shared2: Shared2{Zone: "x"}, Dispatch: inner{
		RoundEvery: 15 * clock.Second, Policy: "nearest", Factor: 1, Hours: []hours{{0, clock.Hour}}, Weights: []int{1},
		ByName: map[string]hours{"b": {0, clock.Hour}, "a": {0, clock.Hour}},
	}}
}

func TestProblems(t *testing.T) {
	two := 2
	tests := []struct {
		name   string
		change func(*inner)
		want   []string
	}{
		{"good", func(*inner) {}, nil},
		{"too short", func(i *inner) { i.RoundEvery = 0 }, []string{"c.dispatch.round_every: 0s is below 1s; want 1s to 10m"}},
		{"too long", func(i *inner) { i.RoundEvery = clock.Hour }, []string{"c.dispatch.round_every: 1h is above 10m; want 1s to 10m"}},
		{"at the bounds", func(i *inner) { i.RoundEvery, i.Share = clock.Second, 1000 }, nil},
		{"enum", func(i *inner) { i.Policy = "best" }, []string{`c.dispatch.policy: "best" is unknown; want one of nearest, rolling`}},
		{"unit", func(i *inner) { i.Share = 1001 }, []string{"c.dispatch.share: 1001 is above 1000; want 0 to 1000 permille"}},
		{"money", func(i *inner) { i.Fee = -1 }, []string{"c.dispatch.fee: -1 is below 0; want at least 0 cents"}},
		{"unsigned", func(i *inner) { i.Small = 10 }, []string{"c.dispatch.small: 10 is above 9; want at most 9"}},
		{"float", func(i *inner) { i.Factor = 0.25 }, []string{"c.dispatch.factor: 0.25 is below 0.5; want 0.5 to 2"}},
		{"empty list", func(i *inner) { i.Hours = nil }, []string{"c.dispatch.hours: empty; want at least one entry"}},
		{"element", func(i *inner) { i.Weights = []int{1, 0} }, []string{"c.dispatch.weights[1]: 0 is below 1; want at least 1"}},
		{"pointer", func(i *inner) { i.Maybe = &two }, []string{"c.dispatch.maybe: 2 is below 3; want at least 3"}},
		{"own rule", func(i *inner) { i.Hours[0].Opens = clock.Hour }, []string{"c.dispatch.hours[0]: opens at 1h, not before it closes at 1h"}},
		{"all at once, maps by key", func(i *inner) {
			i.ByName = map[string]hours{"b": {}, "a": {Opens: -clock.Second, Closes: 1}}
			i.Share = -1
		}, []string{
			"c.dispatch.share: -1 is below 0; want 0 to 1000 permille",
			"c.dispatch.by_name.a.opens: -1s is below 0s; want 0s to 24h",
			"c.dispatch.by_name.b: opens at 0s, not before it closes at 0s",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := good()
			tt.change(&v.Dispatch)
			if diff := cmp.Diff(tt.want, texts(Problems("c", &v))); diff != "" {
				t.Errorf("Problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequired(t *testing.T) {
	got := texts(Problems("", struct {
		Name string  `json:"name" required:"true" enum:"a,b"`
		Far  *string `json:"far" required:"true"`
	}{}))
	want := []string{"name: missing; want one of a, b", "far: missing; want a value"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Problems (-want +got):\n%s", diff)
	}
	v := good()
	v.Zone = ""
	if diff := cmp.Diff([]string{"zone: missing; want a value"}, texts(Problems("", v))); diff != "" {
		t.Errorf("Problems of an embedded struct (-want +got):\n%s", diff)
	}
}

func TestBadTagPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a bound of another type did not panic")
		}
	}()
	Problems("", struct {
		N int `min:"1s"`
	}{})
}

func TestFields(t *testing.T) {
	var got []string
	for _, f := range Fields(good()) {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s [%s %s] %s = %s %s %s", f.Path, f.Type, f.Min, f.Max, f.Unit, f.Default, strings.Join(f.Enum, "|"), f.Doc)))
	}
	want := []string{
		"dispatch.round_every duration [1s 10m]  = 15s  How often.",
		"dispatch.policy string [ ]  = nearest nearest|rolling",
		"dispatch.share integer [0 1000] permille = 0",
		"dispatch.fee integer [0 ] cents = 0",
		"dispatch.small integer [ 9]  = 0",
		"dispatch.factor number [0.5 2]  = 1",
		"dispatch.lazy boolean [ ]  = false",
		`dispatch.hours list [ ]  = [{"opens":"0s","closes":"1h"}]`,
		"dispatch.weights list [1 ]  = [1]",
		`dispatch.by_name list [ ]  = {"a":{"opens":"0s","closes":"1h"},"b":{"opens":"0s","closes":"1h"}}`,
		"dispatch.maybe integer [3 ]  =",
		"zone string [ ]  = x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Fields (-want +got):\n%s", diff)
	}
}

func TestSet(t *testing.T) {
	tests := []struct{ path, value, want string }{
		{"dispatch.round_every", "30s", ""},
		{"dispatch.lazy", "true", ""},
		{"dispatch.fee", "975", ""},
		{"dispatch.small", "7", ""},
		{"dispatch.factor", "1.5", ""},
		{"dispatch.policy", "rolling", ""},
		{"dispatch.maybe", "4", ""},
		{"dispatch.weights", "[3,4]", ""},
		{"dispatch.hours[0].opens", "30m", ""},
		{"dispatch.by_name.a.closes", "2h", ""},
		{"dispatch.by_name.new.closes", "2h", ""},
		{"zone", "UTC", ""},
		{"dispatch.round_every", "30", `dispatch.round_every: duration "30": want a number with a unit, such as 90s, 15m or 1h30m; want 1s to 10m`},
		{"dispatch.round_every", "1h", "dispatch.round_every: 1h is above 10m; want 1s to 10m"},
		{"dispatch.fee", "9.75", `dispatch.fee: "9.75" is not a whole number of 64 bits; want at least 0 cents`},
		{"dispatch.small", "300", `dispatch.small: "300" is not a whole number from 0 of 8 bits; want at most 9`},
		{"dispatch.factor", "NaN", `dispatch.factor: "NaN" is not a number; want 0.5 to 2`},
		{"dispatch.lazy", "maybe", `dispatch.lazy: "maybe" is not true or false; want a value`},
		{"dispatch.policy", "best", `dispatch.policy: "best" is unknown; want one of nearest, rolling`},
		{"dispatch.maybe", "2", "dispatch.maybe: 2 is below 3; want at least 3"},
		{"dispatch.weights", "[0]", "dispatch.weights[0]: 0 is below 1; want at least 1"},
		{"dispatch.hours[1].opens", "1h", "dispatch.hours[1].opens: no such entry; the list has 1, numbered from 0"},
		{"dispatch.rund_every", "30s", "dispatch.rund_every: no such setting; did you mean dispatch.round_every?"},
		{"round_every", "30s", "round_every: no such setting; did you mean dispatch.round_every?"},
		{"dispatch", "{}", "dispatch: no such setting; did you mean dispatch.round_every?"},
		{"dispatch.round_every.x", "1s", "dispatch.round_every.x: no such setting; did you mean dispatch.round_every?"},
		{"Skipped", "x", "Skipped: no such setting"},
		{"quite.another.thing", "1", "quite.another.thing: no such setting"},
	}
	for _, tt := range tests {
		t.Run(tt.path+"="+tt.value, func(t *testing.T) {
			v, before := good(), good()
			err := Set(&v, tt.path, tt.value)
			if got := fmt.Sprint(errors.Join(err)); tt.want != "" && got != tt.want {
				t.Errorf("Set = %q, want %q", got, tt.want)
			}
			changed := !cmp.Equal(before, v, cmp.AllowUnexported(outer{}, inner{}))
			if wantChange := tt.want == ""; changed != wantChange || (err == nil) != wantChange {
				t.Errorf("Set changed the value: %v, error %v; want change %v", changed, err, wantChange)
			}
		})
	}
}

func TestFieldsRoundTrip(t *testing.T) {
	v := good()
	for _, f := range Fields(v) {
		if f.Default == "" {
			continue
		}
		if err := Set(&v, f.Path, f.Default); err != nil {
			t.Errorf("Set(%s, its own value %q) = %v", f.Path, f.Default, err)
		}
	}
	if diff := cmp.Diff(good(), v, cmp.AllowUnexported(outer{}, inner{})); diff != "" {
		t.Errorf("values changed (-want +got):\n%s", diff)
	}
}

// plainly returns a document as Decode takes it.
func plainly(v any) any {
	switch v := v.(type) {
	case []Pair:
		out := map[string]any{}
		for _, p := range v {
			out[p.Name] = plainly(p.Value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = plainly(x)
		}
		return out
	}
	return v
}

// TestDifference: read over what it was taken from, a difference makes the other one; and it says no more than it must.
func TestDifference(t *testing.T) {
	three := 3
	other := good()
	other.Zone = "y"
	d := &other.Dispatch
	d.RoundEvery, d.Small, d.Factor, d.Lazy, d.Fee, d.Maybe = clock.Minute, 8, 1.25, !d.Lazy, 0, &three
	d.Hours, d.Weights = []hours{{0, 0}, {clock.Hour, 2 * clock.Hour}}, []int{}
	d.ByName = map[string]hours{"b": {1, 2}, "a": {3, 4}}
	got := Difference(good(), other)
	back := good()
	back.Dispatch.ByName = map[string]hours{}
	if errs := Decode("", plainly(got), &back); len(errs) > 0 {
		t.Fatal(errs)
	}
	if diff := cmp.Diff(other, back, cmp.AllowUnexported(outer{}, inner{})); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	if len(got) != 2 || got[0].Name != "dispatch" || got[1].Name != "zone" {
		t.Errorf("%v; want dispatch and zone, in the order of the fields", got)
	}
	if same := Difference(other, &other); len(same) != 0 {
		t.Errorf("of a thing with itself it is %v", same)
	}
	v := Difference(inner{}, inner{Maybe: new(int)})
	if want := []Pair{{"maybe", int64(0)}}; !cmp.Equal(want, v) {
		t.Errorf("of a pointer to 0 it is %v, want %v", v, want)
	}
}

func texts(errs []error) []string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return all
}
