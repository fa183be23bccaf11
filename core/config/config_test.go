package config_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/config"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/porttest"
	"footway/core/setting"
)

func TestDefaultsAreGood(t *testing.T) {
	for _, err := range setting.Problems("", config.DefaultSettings()) {
		t.Error(err)
	}
}

// TestSettingsAreValues keeps everything out of Settings that two copies would share.
func TestSettingsAreValues(t *testing.T) {
	var check func(path string, ty reflect.Type)
	check = func(path string, ty reflect.Type) {
		switch ty.Kind() {
		case reflect.Struct:
			for i := range ty.NumField() {
				check(path+"."+ty.Field(i).Name, ty.Field(i).Type)
			}
		case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
			t.Errorf("Settings%s is a %v: copies of Settings would share it; want a value", path, ty)
		}
	}
	check("", reflect.TypeFor[config.Settings]())
}

// TestEverySettingSpeaks wants of each setting what its users see of it.
func TestEverySettingSpeaks(t *testing.T) {
	fields := setting.Fields(config.DefaultSettings())
	if len(fields) < 100 {
		t.Errorf("%d settings, want all of five services", len(fields))
	}
	for _, f := range fields {
		if f.Doc == "" || f.Type == "list" {
			t.Errorf("%s: doc %q, type %s; want a sentence and a single value", f.Path, f.Doc, f.Type)
		}
		if bounded := f.Min != "" && f.Max != ""; (f.Type == "integer" || f.Type == "duration") && !bounded {
			t.Errorf("%s: bounds %q to %q; want both", f.Path, f.Min, f.Max)
		}
	}
}

func TestLoad(t *testing.T) {
	c, err := config.LoadJSON([]byte(`{
		"version": 7,
		"defaults": {"dispatch": {"round_every": "20s", "policy": "nearest"}},
		"markets": {"baltimore": {"dispatch": {"round_every": "30s"}, "delivery": {"pricing": {"flat_fee": 500}}}, "quiet": {}}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	want := config.DefaultSettings()
	want.Dispatch.RoundEvery, want.Dispatch.Policy = 20*clock.Second, "nearest"
	for _, m := range []market.ID{"quiet", "never heard of", ""} {
		if diff := cmp.Diff(want, c.Get(m)); diff != "" {
			t.Errorf("Get(%q) (-want +got):\n%s", m, diff)
		}
	}
	want.Dispatch.RoundEvery, want.Delivery.Pricing.FlatFee = 30*clock.Second, 500
	if diff := cmp.Diff(want, c.Get("baltimore")); diff != "" {
		t.Errorf("Get(baltimore) (-want +got):\n%s", diff)
	}
	if c.Version() != 7 || !cmp.Equal(c.Markets(), []market.ID{"baltimore", "quiet"}) {
		t.Errorf("version %d, markets %v; want 7, baltimore and quiet", c.Version(), c.Markets())
	}
}

func TestLoadErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown section", `{"defaults": {"dispach": {}}}`, "defaults.dispach: no such key; did you mean dispatch?"},
		{"unknown setting", `{"markets": {"a": {"dispatch": {"round_evry": "1s"}}}}`, "markets.a.dispatch.round_evry: no such key; did you mean round_every?"},
		{"unknown top", `{"market": {}}`, "market: no such key; did you mean markets?"},
		{"no unit", `{"defaults": {"dispatch": {"round_every": 30}}}`, "defaults.dispatch.round_every: 30 has no unit; want a duration such as 30s, 30m or 1h30m"},
		{"out of bounds", `{"defaults": {"delivery": {"pricing": {"flat_fee": -1}}}}`, "defaults.delivery.pricing.flat_fee: -1 is below 0; want 0 to 1000000 cents"},
		{"between fields", `{"markets": {"a": {"fleet": {"silence_after": "20m"}}}}`, "markets.a.fleet.missing_after: 15m is not above silence_after (20m); a robot is out of contact before it is missing"},
		{"nameless", `{"markets": {"": {}}}`, "markets: a market without a name; want one such as wedgwood"},
		{"bad version", `{"version": -1}`, `version: "-1" is not a whole number from 0 of 64 bits`},
		{"not an object", `[]`, "a list; want names with values below it"},
		{"section not an object", `{"defaults": 3}`, "defaults: 3; want names with values below it"},
		{"two documents", `{} {}`, "byte 4: something follows the document; want one document"},
		{"cut off", `{"version": `, "want JSON: unexpected EOF"},
		{"all at once", `{"defaults": {"task": {"max_wrong_pins": 0, "pin": 1}, "fleet": {"charge": {"must_permille": "x"}}}, "markets": {"b": {"maps": 1}, "a": {"x": 2}}, "zzz": 1}`, strings.Join([]string{
			"zzz: no such key; want one of defaults, markets, version",
			`defaults.fleet.charge.must_permille: "x"; want a whole number`,
			"defaults.task.pin: no such key; did you mean pin_lock?",
			"markets.a.x: no such key; want one of delivery, dispatch, fleet, maps, task",
			"markets.b.maps: 1; want names with values below it",
		}, "\n")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.LoadJSON([]byte(tt.text))
			_, got, _ := strings.Cut(fmt.Sprint(err), ": ")
			if got != tt.want || c != nil || !fault.Is(err, fault.Invalid) {
				t.Errorf("LoadJSON(%s):\n%s\nwant\n%s", tt.text, got, tt.want)
			}
		})
	}
}

func TestSet(t *testing.T) {
	tests := []struct{ assignment, want string }{
		{"dispatch.round_every=20s", ""},
		{" delivery.pricing.flat_fee = 500 ", ""},
		{"dispatch.round_every", `"dispatch.round_every"; want name=value, such as dispatch.round_every=30s`},
		{"dispatch.rund_every=20s", "dispatch.rund_every: no such setting; did you mean dispatch.round_every?"},
		{"dispatch.round_every=20", `dispatch.round_every: duration "20": want a number with a unit, such as 90s, 15m or 1h30m; want 1s to 10m`},
		{"fleet.silence_after=20m", "fleet.missing_after: 15m is not above silence_after (20m); a robot is out of contact before it is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.assignment, func(t *testing.T) {
			s := config.DefaultSettings()
			err := s.Set(tt.assignment)
			if tt.want == "" {
				if err != nil || s == config.DefaultSettings() {
					t.Errorf("Set = %v, want a change", err)
				}
				return
			}
			if got := fmt.Sprint(err); got != "config.Set: "+tt.want || !fault.Is(err, fault.Invalid) {
				t.Errorf("Set = %s\nwant %s", got, tt.want)
			}
			if s != config.DefaultSettings() {
				t.Error("Set failed and changed the settings")
			}
		})
	}
}

// TestDifferenceOfEverySetting changes each setting in turn, writes what is
// different and reads it back.
func TestDifferenceOfEverySetting(t *testing.T) {
	for _, f := range setting.Fields(config.DefaultSettings()) {
		s, changed := config.DefaultSettings(), false
		for _, value := range append([]string{f.Min, f.Max, "true", "false"}, f.Enum...) {
			if err := setting.Set(&s, f.Path, value); err == nil && s != config.DefaultSettings() {
				changed = true
				break
			}
		}
		if !changed && f.Path != "delivery.pricing.currency" {
			t.Errorf("%s: found no other value to set", f.Path)
		}
		d := config.Difference(config.DefaultSettings(), s)
		if n := leaves(d); changed && n != 1 {
			t.Errorf("%s: the difference has %d values: %v", f.Path, n, d)
		}
		got := config.DefaultSettings()
		if errs := setting.Decode("", any(d), &got); len(errs) > 0 || got != s {
			t.Errorf("%s: %v; the difference %v does not lead back", f.Path, errs, d)
		}
	}
}

func leaves(v any) int {
	tree, ok := v.(map[string]any)
	if !ok {
		return 1
	}
	n := 0
	for _, below := range tree {
		n += leaves(below)
	}
	return n
}

func TestMarshalDiff(t *testing.T) {
	c := config.New()
	defaults := config.DefaultSettings()
	defaults.Dispatch.RoundEvery = 20 * clock.Second
	ours := defaults
	ours.Dispatch.Policy = "nearest"
	ours.Task.AutoConfirm = false
	var err error
	if c, err = c.With("", defaults); err != nil {
		t.Fatal(err)
	}
	if c, err = c.With("wedgwood", ours); err != nil {
		t.Fatal(err)
	}
	text, err := c.MarshalDiff()
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "version": 2,
  "defaults": {
    "dispatch": {
      "round_every": "20s"
    }
  },
  "markets": {
    "wedgwood": {
      "dispatch": {
        "policy": "nearest"
      },
      "task": {
        "auto_confirm": false
      }
    }
  }
}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("MarshalDiff (-want +got):\n%s", diff)
	}
	back, err := config.LoadJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	if back.Get("wedgwood") != ours || back.Get("elsewhere") != defaults || back.Version() != 2 {
		t.Error("what MarshalDiff wrote, Load reads otherwise")
	}
}

func TestWith(t *testing.T) {
	c := config.New()
	bad := config.DefaultSettings()
	bad.Dispatch.RoundEvery = 0
	if _, err := c.With("", bad); !fault.Is(err, fault.Invalid) {
		t.Errorf("With(wrong settings) = %v, want fault.Invalid", err)
	}
	good := config.DefaultSettings()
	good.Dispatch.RoundEvery = 20 * clock.Second
	next, err := c.With("m", good)
	if err != nil {
		t.Fatal(err)
	}
	if c.Get("m") != config.DefaultSettings() || c.Version() != 0 || len(c.Markets()) != 0 {
		t.Error("With changed the version that it began with")
	}
	if next.Get("m") != good || next.Get("n") != config.DefaultSettings() || next.Version() != 1 {
		t.Error("With did not make the next version")
	}
}

func TestStatic(t *testing.T) {
	porttest.ConfigSource(t, func(_ *testing.T, c *config.Config) (config.Source, func(*config.Config)) {
		s := config.NewStatic(c)
		return s, s.Put
	})
}

// FuzzLoad looks for documents that crash Load, or that it reads as settings
// that are wrong or are written as something else.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"version":1,"defaults":{"dispatch":{"round_every":"20s"}},"markets":{"a":{"task":{"auto_confirm":false}}}}`))
	f.Add([]byte(`{"defaults":{"maps":{"crossing":{"max_zebra":"tertiary"}},"fleet":null}}`))
	f.Add([]byte(`[1e999,-0]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.LoadJSON(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("LoadJSON(%q) = %v, want fault.Invalid", text, err)
			}
			return
		}
		for _, m := range append(c.Markets(), "") {
			if errs := setting.Problems("", c.Get(m)); len(errs) > 0 {
				t.Errorf("LoadJSON(%q) let pass %v", text, errs)
			}
		}
		once, err := c.MarshalDiff()
		if err != nil || !json.Valid(once) {
			t.Fatalf("MarshalDiff of %q = %q, %v", text, once, err)
		}
		back, err := config.LoadJSON(once)
		if err != nil {
			t.Fatalf("LoadJSON of what MarshalDiff wrote, %q: %v", once, err)
		}
		if twice, err := back.MarshalDiff(); err != nil || string(twice) != string(once) {
			t.Errorf("MarshalDiff = %q, then %q (%v)", once, twice, err)
		}
	})
}
