package scenario

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/config"
)

// changed returns what each of the scenario's later settings has otherwise than those before it.
func changed(t *testing.T, s *Scenario) map[string]map[string]any {
	t.Helper()
	before, errs := s.Config()
	later, wrong := s.Later(before)
	if len(errs)+len(wrong) > 0 {
		t.Fatal(errs, wrong)
	}
	out := map[string]map[string]any{}
	for _, l := range later {
		out[l.After.String()] = config.Difference(before, l.Settings)
		before = l.Settings
	}
	return out
}

func TestChanges(t *testing.T) {
	dispatch := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return map[string]any{"dispatch": m}
	}
	file := read(t, with(`"settings": {"dispatch": {"policy": "nearest"}},
		"changes": [{"at": "40m", "settings": {"dispatch": {"policy": "rolling"}}}, {"at": "20m", "settings": {"dispatch": {"lazy": false}}}]`))
	want := map[string]map[string]any{"20m": dispatch("lazy", false), "40m": dispatch("policy", "rolling")}
	if diff := cmp.Diff(want, changed(t, file)); diff != "" {
		t.Errorf("changes of a file (-want +got):\n%s", diff)
	}

	// By hand: out of order, two at one time, and one that changes nothing.
	if err := file.SetAt("30m:dispatch.lazy=true", "10m:settings.dispatch.lazy=false", "40m:dispatch.lazy=false", "5m:dispatch.policy=nearest"); err != nil {
		t.Fatal(err)
	}
	want = map[string]map[string]any{"10m": dispatch("lazy", false), "20m": {}, "30m": dispatch("lazy", true), "40m": dispatch("lazy", false, "policy", "rolling")}
	if diff := cmp.Diff(want, changed(t, file)); diff != "" {
		t.Errorf("with more by hand (-want +got):\n%s", diff)
	}
	if n := len(file.Changes); n != 5 {
		t.Errorf("%d changes, want 5: what changes nothing is none", n)
	}
}

func TestChangesSayWhatIsWrong(t *testing.T) {
	s := read(t, with(""))
	for text, want := range map[string]string{
		"dispatch.policy=nearest": "a time after the start", "0s:dispatch.policy=nearest": "a time after the start", "x:dispatch.lazy=true": "a time after the start",
		"1h:dispatch.lazy": "name=value", "1h:dispatch.no_such=1": "no_such", "1h:dispatch.round_every=-4s": "below",
	} {
		if err := s.SetAt("1m:dispatch.lazy=false", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("SetAt(%q): %v, want an error with %q", text, err, want)
		}
	}
	if len(s.Changes) != 0 {
		t.Errorf("after errors there are changes: %v", s.Changes)
	}
	for more, want := range map[string]string{
		`"changes": [{"at": "1m", "settings": {"dispatch": {"policy": "best"}}}]`: "changes[0].settings.dispatch.policy",
		`"changes": [{"settings": {"dispatch": {"policy": "nearest"}}}]`:          "changes[0].at",
		`"changes": [{"at": "1m"}]`: "changes[0].settings: empty",
		`"changes": [{"at": "1m", "settings": {"maps": {"speed_mm_s": 900}}}]`: "holds for a whole run",
	} {
		var text []string
		for _, err := range Problems(read(t, with(more)), known) {
			text = append(text, err.Error())
		}
		if !strings.Contains(strings.Join(text, "\n"), want) {
			t.Errorf("%s: %v, want an error with %q", more, text, want)
		}
	}
}
