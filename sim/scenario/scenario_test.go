package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/setting"
)

func known(kpi string) bool { return kpi == "undelivered_share" }

// read reads a scenario from JSON over the defaults, as a file is read.
func read(t *testing.T, text string) *Scenario {
	t.Helper()
	var doc any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	s := Defaults()
	if errs := setting.Decode("", doc, &s); len(errs) > 0 {
		t.Fatalf("%v in %s", errs, text)
	}
	s.Fill()
	return &s
}

// with is a good scenario with a few lines more.
func with(more string) string {
	const least = `"name": "x", "start": "2026-06-12T11:00", "duration": "1h", "fleet": {"robots": 3}, "demand": {"orders": [{"id": "o1", "from": "a", "to": "b"}]}`
	if more == "" {
		return "{" + least + "}"
	}
	return "{" + least + ", " + more + "}"
}

func TestProblems(t *testing.T) {
	const order = `{"id": "o1", "from": "a", "to": "b"}`
	tests := []struct{ name, text, want string }{
		{"least", with(""), ""},
		{"everything", with(`
			"market": {"id": "m", "network": "city:7", "time_zone": "America/New_York", "currency": "EUR"},
			"fleet": {"robots": 2, "named": [{"id": "spare", "at": "a"}]},
			"demand": {"per_hour": 60, "profile": [{"at": "11:00", "permille": 500}, {"at": "12:30", "permille": 1000}], "orders": [` + order + `]},
			"weather": [{"at": "0s", "kind": "rain"}, {"at": "10m", "kind": "clear"}],
			"events": [
				{"at": "5m", "do": "breakdown", "robot": "r2"}, {"do": "stuck", "robot": "spare"}, {"do": "jam", "delivery": "o1", "when": "at_pickup"},
				{"at": "10m", "do": "contact_lost", "robot": "all", "for": "5m"}, {"do": "contact_lost", "delivery": "g4"},
				{"do": "closure", "street": "Oak Street", "known": true, "for": "1h"}, {"do": "closure", "around": "a", "radius_m": 100, "delivery": "o1", "when": "to_dropoff"},
				{"do": "operators", "count": 0}, {"do": "demand", "permille": 2000, "for": "20m"}],
			"settings": {"dispatch": {"policy": "nearest"}},
			"expect": [{"kpi": "undelivered_share", "max": 0.1}, {"event": "delivery.cancelled", "min": 1, "max": 1}, {"of": "o1", "state": "cancelled", "reason": "failed_to_pickup"},
				{"of": "g0", "state": "delivered"}, {"hash": "0123456789abcdef"}]`), ""},
		{"a recording's orders are not known", with(`"demand": {"recording": "r.jsonl"}, "expect": [{"of": "whatever", "state": "delivered"}]`), ""},

		{"name", with(`"name": "Lunch rush"`), `name: "Lunch rush"; want small letters, digits and dashes, such as lunch-rush`},
		{"no name", with(`"name": ""`), "name: missing; want a value"},
		{"no duration", with(`"duration": "0s"`), "duration: missing; want 1m to 72h"},
		{"start", with(`"start": "noon"`), `start: "noon" is no local date and time; want one such as 2026-06-12T11:00`},
		{"zone", with(`"market": {"time_zone": "New York"}`), `market.time_zone: "New York" is unknown; want an IANA name, such as America/New_York`},
		{"machine's zone", with(`"market": {"time_zone": "Local"}`), `market.time_zone: "Local" is unknown; want an IANA name, such as America/New_York`},
		{"currency", with(`"market": {"currency": "usd"}`), `market.currency: "usd"; want three capital letters, such as USD`},
		{"network", with(`"market": {"network": ""}`), "market.network: missing; want city, city:SEED or a file"},
		{"bounds", with(`"fleet": {"robots": -1}`), "fleet.robots: -1 is below 0; want 0 to 20000"},
		{"robot's name taken", with(`"fleet": {"robots": 2, "named": [{"id": "r2", "at": "a"}]}`), `fleet.named[0].id: "r2" is one of the fleet.robots already; want another name`},
		{"courier's name taken", with(`"fleet": {"named": [{"id": "c1", "at": "a"}]}`), `fleet.named[0].id: "c1" is one of the fleet.couriers already; want another name`},
		{"named twice", with(`"fleet": {"named": [{"id": "a", "at": "a"}, {"id": "a", "at": "b"}]}`), `fleet.named[1].id: "a" is fleet.named[0] already; want another name`},
		{"named all", with(`"fleet": {"named": [{"id": "all", "at": "a"}]}`), `fleet.named[0].id: "all" means all robots in events; want another name`},
		{"no demand", with(`"demand": {"orders": []}`), "demand: nobody orders anything; want per_hour, orders or a recording"},
		{"distances", with(`"demand": {"per_hour": 9, "min_distance_m": 900, "max_distance_m": 800}`), "demand.min_distance_m: 900 is above max_distance_m (800); want at most that"},
		{"time of day", with(`"demand": {"per_hour": 9, "profile": [{"at": "noon", "permille": 1}]}`), `demand.profile[0].at: "noon" is no time of day; want one such as 12:30`},
		{"profile order", with(`"demand": {"per_hour": 9, "profile": [{"at": "12:00", "permille": 1}, {"at": "11:00", "permille": 1}]}`), "demand.profile[1].at: minute 660, want above the point before it, 720"},
		{"quantiles", with(`"demand": {"per_hour": 9, "ready_in": {"p50": "1h"}}`), "demand.ready_in.p90: 28m, want at least p50, which is 1h"},
		{"order twice", with(`"demand": {"orders": [` + order + `,` + order + `]}`), `demand.orders[1].id: "o1" is demand.orders[0] already; want another id`},
		{"generated id", with(`"demand": {"orders": [{"id": "g1", "from": "a", "to": "b"}]}`), `demand.orders[0].id: "g1" is how generated orders are called; want another id, such as o1`},
		{"late order", with(`"demand": {"orders": [{"id": "o", "from": "a", "to": "b", "at": "2h"}]}`), "demand.orders[0].at: 2h is after the duration (1h); want it before"},
		{"order to itself", with(`"demand": {"orders": [{"id": "o", "from": "a", "to": "a"}]}`), `demand.orders[0].to: "a" is where it comes from; want another place`},
		{"cancelled twice", with(`"demand": {"orders": [{"id": "o", "from": "a", "to": "b", "cancel_in": "1m", "cancel_at": "loaded"}]}`), "demand.orders[0].cancel_at: given together with cancel_in; want one of them"},
		{"unknown state", with(`"demand": {"orders": [{"id": "o", "from": "a", "to": "b", "cancel_at": "eaten"}]}`), `demand.orders[0].cancel_at: "eaten" is unknown; want one of , quoted, requested, assigned, to_pickup, at_pickup, loaded, to_dropoff, at_dropoff, delivered, returning`},
		{"signal", with(`"world": {"crossings": {"green": "90s"}}`), "world.crossings.green: 1m30s is not below cycle (1m30s); a signal has a red too"},
		{"weather order", with(`"weather": [{"at": "5m", "kind": "rain"}, {"at": "5m", "kind": "clear"}]`), "weather[1].at: 5m is not after weather[0] (5m); want them in order"},
		{"weather late", with(`"weather": [{"at": "5h", "kind": "rain"}]`), "weather[0].at: 5h is after the run's end (4h with drain); want it before"},
		{"weather kind", with(`"weather": [{"at": "5m", "kind": "rainn"}]`), `weather[0].kind: "rainn" is unknown; want one of clear, rain, heavy_rain, snow, heat`},
		{"event late", with(`"events": [{"at": "5h", "do": "jam", "robot": "r1"}]`), "events[0].at: 5h is after the run's end (4h with drain); want it before"},
		{"event kind", with(`"events": [{"do": "explode"}]`), `events[0].do: "explode" is unknown; want one of breakdown, stuck, contact_lost, jam, closure, operators, demand`},
		{"field of another event", with(`"events": [{"do": "jam", "robot": "r1", "for": "1m"}]`), "events[0].for: does not belong to jam; want only at, do, delivery, when, robot"},
		{"when without delivery", with(`"events": [{"do": "jam", "robot": "r1", "when": "loaded"}]`), "events[0].when: without delivery; want the order whose state is meant"},
		{"delivery without when", with(`"events": [{"do": "operators", "count": 1, "delivery": "o1"}]`), "events[0].delivery: without when; want the state of the order that triggers operators"},
		{"unknown order", with(`"events": [{"do": "jam", "delivery": "o2"}]`), `events[0].delivery: there is no order "o2"; want one of o1`},
		{"generated order without demand", with(`"events": [{"do": "jam", "delivery": "g2"}]`), `events[0].delivery: there is no order "g2"; want one of o1`},
		{"robot and delivery", with(`"events": [{"do": "jam", "delivery": "o1", "robot": "r1"}]`), "events[0].robot: given together with delivery, which means its robot; want one of them"},
		{"no robot", with(`"events": [{"do": "jam"}]`), "events[0].robot: missing; want a robot such as r1, or a delivery, whose robot is meant"},
		{"all robots", with(`"events": [{"do": "breakdown", "robot": "all"}]`), "events[0].robot: all is for contact_lost; want one robot"},
		{"unknown robot", with(`"events": [{"do": "jam", "robot": "r4"}]`), `events[0].robot: there is no robot "r4"; want one of r1 to r3`},
		{"closure of nothing", with(`"events": [{"do": "closure"}]`), "events[0].street: missing; want a street, or around and radius_m, or all three"},
		{"closure without radius", with(`"events": [{"do": "closure", "around": "a"}]`), `events[0].radius_m: missing; want how far around "a" it is closed`},
		{"closure without centre", with(`"events": [{"do": "closure", "street": "a", "radius_m": 5}]`), "events[0].around: missing; want the centre of the radius"},
		{"settings", with(`"settings": {"dispatch": {"polcy": 1}}`), "settings.dispatch.polcy: no such key; did you mean policy?"},
		{"two expectations", with(`"expect": [{"kpi": "undelivered_share", "hash": "0123456789abcdef", "max": 1}]`), "expect[0]: expects 2 things; want exactly one of kpi, event, of, hash"},
		{"no expectation", with(`"expect": [{"max": 1}]`), "expect[0]: expects 0 things; want exactly one of kpi, event, of, hash"},
		{"unknown KPI", with(`"expect": [{"kpi": "x", "max": 1}]`), `expect[0].kpi: there is no KPI "x"; docs/kpis.md lists them`},
		{"event's form", with(`"expect": [{"event": "x", "max": 1}]`), `expect[0].event: "x"; want the kind of an event, such as delivery.cancelled`},
		{"hash's form", with(`"expect": [{"hash": "abc"}]`), `expect[0].hash: "abc"; want the run's hash, 16 to 64 small hexadecimal digits`},
		{"no bound", with(`"expect": [{"event": "a.b"}]`), "expect[0]: expects nothing of the value; want min, max or both"},
		{"bounds of an order", with(`"expect": [{"of": "o1", "state": "delivered", "max": 1}]`), "expect[0]: min and max belong to kpi and event; want none of them here"},
		{"bounds crossed", with(`"expect": [{"event": "a.b", "min": 2, "max": 1}]`), "expect[0].min: 2 is above max (1); want at most that"},
		{"state of a KPI", with(`"expect": [{"kpi": "undelivered_share", "max": 1, "state": "delivered"}]`), "expect[0]: state and reason belong to of; want the order's id there"},
		{"order without state", with(`"expect": [{"of": "o1"}]`), "expect[0].state: missing; want the state in which o1 must end, such as delivered"},
		{"reason of a delivery", with(`"expect": [{"of": "o1", "state": "delivered", "reason": "failed_to_pickup"}]`), "expect[0].reason: belongs to the state cancelled, not delivered"},
		{"unknown order expected", with(`"expect": [{"of": "o9", "state": "delivered"}]`), `expect[0].of: there is no order "o9"; want one of o1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := errors.Join(Problems(read(t, tt.text), known)...); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Problems of %s:\n%s\nwant\n%s", tt.text, got, tt.want)
			}
		})
	}
}

func TestDefaultsAreGood(t *testing.T) {
	s := Defaults()
	s.Name, s.Start, s.Duration, s.Demand.PerHour = "x", "2026-06-12T11:00", clock.Hour, 10
	s.Fill()
	for _, err := range Problems(&s, known) {
		t.Error(err)
	}
}

// TestDefaultsAreAsDocumented compares the defaults with the words of the fields' documents.
func TestDefaultsAreAsDocumented(t *testing.T) {
	checked := 0
	for _, f := range setting.Fields(Defaults()) {
		_, says, ok := strings.Cut(f.Doc, "Default ")
		if !ok || f.Default == "" {
			continue
		}
		if f.Type == "integer" || f.Type == "duration" {
			word := strings.TrimRight(strings.Fields(says)[0], ".:,;")
			if d, err := clock.ParseDuration(word); err == nil {
				word = d.String()
			}
			if word != f.Default {
				t.Errorf("%s: documented default %s, default %s", f.Path, word, f.Default)
			}
			checked++
		}
	}
	if checked < 25 {
		t.Errorf("compared %d defaults, want more: the documents must say them as 'Default 1600'", checked)
	}
}

func TestFill(t *testing.T) {
	tests := []struct {
		text                    string
		docks, slots, operators int
	}{
		{with(`"fleet": {"robots": 0}`), 2, 1, 1},
		{with(`"fleet": {"robots": 16}`), 2, 8, 2},
		{with(`"fleet": {"robots": 40}`), 5, 8, 4},
		{with(`"fleet": {"robots": 40, "named": [{"id": "a", "at": "x"}]}`), 6, 7, 4},
		{with(`"fleet": {"robots": 40, "docks": 3, "slots_per_dock": 2}, "world": {"operators": {"count": 9}}`), 3, 2, 9},
	}
	for _, tt := range tests {
		s := read(t, tt.text)
		if s.Fleet.Docks != tt.docks || s.Fleet.SlotsPerDock != tt.slots || s.World.Operators.Count != tt.operators {
			t.Errorf("%s: %d docks of %d slots, %d operators; want %d, %d, %d", tt.text,
				s.Fleet.Docks, s.Fleet.SlotsPerDock, s.World.Operators.Count, tt.docks, tt.slots, tt.operators)
		}
		once := fmt.Sprintf("%+v", *s)
		if s.Fill(); fmt.Sprintf("%+v", *s) != once {
			t.Errorf("%s: Fill changed something the second time", tt.text)
		}
	}
	s := read(t, with(`"fleet": {"charge_permille": 300, "named": [{"id": "a", "at": "x"}, {"id": "b", "at": "x", "charge_permille": 20}]}, "demand": {"load": {"grams": 7}, "orders": [{"id": "o1", "from": "a", "to": "b"}, {"id": "o2", "from": "a", "to": "b", "load": {"grams": 5}}]}`))
	if a, b := s.Fleet.Named[0].Charge, s.Fleet.Named[1].Charge; a != 300 || b != 20 {
		t.Errorf("named robots are charged %d and %d, want the fleet's 300, and 20", a, b)
	}
	if a, b := s.Demand.Orders[0].Load.Grams, s.Demand.Orders[1].Load.Grams; a != 7 || b != 5 {
		t.Errorf("orders weigh %d and %d, want the demand's 7, and 5", a, b)
	}
	zero := read(t, with(`"fleet": {"couriers": 0}, "world": {"robots": {"jam_permille": 0}}`))
	if zero.Fleet.Couriers != 0 || zero.World.Robots.Jam != 0 || zero.World.Robots.Stuck != 60 {
		t.Error("a 0 in a file was not kept, or took its neighbours along")
	}
}

func TestBegin(t *testing.T) {
	s := read(t, with(`"market": {"time_zone": "America/New_York"}`))
	start, offset, err := s.Begin()
	if err != nil || start.String() != "2026-06-12T15:00:00.000Z" || offset != -4*clock.Hour {
		t.Errorf("Begin = %v, %v, %v; want 15:00 UTC, 4 hours behind", start, offset, err)
	}
}

func TestSet(t *testing.T) {
	tests := []struct{ assignment, want string }{
		{"fleet.robots=30", `.Fleet.Robots 3 30`},
		{"demand.ready_in.p50=10m", `.Demand.ReadyIn.P50 15m 10m`},
		{"demand.orders[0].late = 5m", `.Demand.Orders[0].Late 0s 5m`},
		{"dispatch.round_every=30s", `.Settings map[] map[dispatch:map[round_every:30s]]`},
		{"settings.fleet.silence_after=30s", `.Settings map[] map[fleet:map[silence_after:30s]]`},
		{"fleet.silence_after=30s", `.Settings map[] map[fleet:map[silence_after:30s]]`},
		{"fleet.robts=30", "scenario.Set: fleet.robts: no such setting; did you mean fleet.robots?"},
		{"fleet.robots", `scenario.Set: "fleet.robots"; want name=value, such as fleet.robots=30`},
		{"settings.dispatch.round_every=1ms", "settings: config.Set: dispatch.round_every: 1ms is below 1s; want 1s to 10m"},
	}
	for _, tt := range tests {
		t.Run(tt.assignment, func(t *testing.T) {
			before, s := read(t, with("")), read(t, with(""))
			got := ""
			if err := s.Set(tt.assignment); err != nil {
				got = err.Error()
			}
			var r reporter
			cmp.Equal(before, s, cmp.Reporter(&r))
			if got += strings.Join(r.changes, "; "); got != tt.want {
				t.Errorf("Set gave %s\nwant %s", got, tt.want)
			}
		})
	}
	s := read(t, with(`"settings": {"dispatch": {"policy": "nearest"}}, "market": {"currency": "EUR"}`))
	if err := s.Set("dispatch.round_every=30s"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Settings); got != "map[dispatch:map[policy:nearest round_every:30s]]" {
		t.Errorf("settings are %s, want what was there and what was set", got)
	}
	if c, errs := s.Config(); len(errs) > 0 || c.Delivery.Pricing.Currency != "EUR" {
		t.Errorf("Config has the currency %s, %v; want the market's", c.Delivery.Pricing.Currency, errs)
	}
}

// reporter lists what cmp found to differ, in one line each.
type reporter struct {
	path    cmp.Path
	changes []string
}

func (r *reporter) PushStep(s cmp.PathStep) { r.path = append(r.path, s) }
func (r *reporter) PopStep()                { r.path = r.path[:len(r.path)-1] }
func (r *reporter) Report(result cmp.Result) {
	if !result.Equal() {
		x, y := r.path.Last().Values()
		r.changes = append(r.changes, fmt.Sprintf("%s %v %v", strings.TrimPrefix(r.path.GoString(), "{*scenario.Scenario}"), x, y))
	}
}
