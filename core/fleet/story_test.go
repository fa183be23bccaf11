package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// world is what a story plays in.
type world struct {
	clock     *fake.Clock
	timers    *fake.Timers
	journal   *fake.Journal
	link      *fake.Link
	store     *memory.FleetStore
	telemetry *memory.TelemetryStore
	accounts  *memory.AccountStore
	service   *fleet.Service
	told      int
}

// newWorld returns a world with an account, whose calls to stores and link go through l, if it is not nil.
func newWorld(t testing.TB, l *fake.Losses) *world {
	t.Helper()
	w := &world{
		clock: fake.NewClock(fake.Start), timers: &fake.Timers{}, journal: &fake.Journal{}, link: &fake.Link{},
		store: memory.NewFleetStore(), telemetry: memory.NewTelemetryStore(), accounts: memory.NewAccountStore(),
	}
	d := fleet.Deps{
		Store: w.store, Telemetry: w.telemetry, Accounts: w.accounts, Link: w.link, Clock: w.clock, Timers: w.timers, Journal: w.journal,
		Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	}
	if l != nil {
		d.Store = fake.LossyFleetStore{Store: w.store, Losses: l}
		d.Telemetry = fake.LossyTelemetryStore{TelemetryStore: w.telemetry, Losses: l}
		d.Link = fake.LossyLink{Link: w.link, Losses: l}
	}
	w.service = fleet.NewService(d)
	if err := w.service.SaveAccount(context.Background(), fleet.Account{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	return w
}

func robot(id fleet.RobotID) fleet.Robot {
	return fleet.Robot{
		ID: id, Market: "m", Account: "acme", Kind: fleet.KindRobot, CapacityMWh: 1_200_000, SpeedMMS: 1700,
		Capability: fleet.Load{LengthMM: 400, WidthMM: 300, HeightMM: 300, Grams: 9000},
	}
}

// TestStories plays the scripts in testdata. A script has robots report and
// callers ask, and shows after each command what the journal got, what robots were told, and what was refused.
func TestStories(t *testing.T) {
	played := 0
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		played++
		w := newWorld(t, nil)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			answer, err := w.run(t, d)
			out := w.trace() + answer
			if err != nil {
				out += fmt.Sprintf("refused: %v, %s\n", fault.KindOf(err), fault.ReasonOf(err))
			}
			if out == "" {
				return "nothing\n"
			}
			return out
		})
	})
	if played < 6 {
		t.Errorf("played %d stories, want at least 6", played)
	}
}

func arg(d *datadriven.TestData, name, fallback string) string {
	for _, a := range d.CmdArgs {
		if a.Key == name && len(a.Vals) > 0 {
			return a.Vals[0]
		}
	}
	return fallback
}

func number(t *testing.T, d *datadriven.TestData, name string, fallback int64) int64 {
	t.Helper()
	n := fallback
	if s := arg(d, name, ""); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			d.Fatalf(t, "%s: %v", name, err)
		}
	}
	return n
}

func span(t *testing.T, d *datadriven.TestData, text string) clock.Duration {
	t.Helper()
	v, err := clock.ParseDuration(text)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return v
}

func word(d *datadriven.TestData) string {
	for _, a := range d.CmdArgs {
		if len(a.Vals) == 0 {
			return a.Key
		}
	}
	return ""
}

func (w *world) run(t *testing.T, d *datadriven.TestData) (answer string, err error) {
	ctx := context.Background()
	id := fleet.RobotID(arg(d, "robot", "r1"))
	token := uint64(number(t, d, "token", 1))
	switch d.Cmd {
	case "register":
		return "", w.service.Register(ctx, robot(id))
	case "remove":
		return "", w.service.Remove(ctx, id)
	case "report":
		return "", w.service.Report(ctx, w.report(t, d, id))
	case "reserve":
		token, err := w.service.Reserve(ctx, fleet.ReserveRequest{
			Robot: id, Holder: arg(d, "for", "delivery/d1#1"), Attempt: arg(d, "attempt", "a1"), Dock: fleet.DockID(arg(d, "dock", "")),
			Until: w.clock.Now().Add(span(t, d, arg(d, "span", "2h"))),
		})
		if err == nil {
			answer = fmt.Sprintf("token %d\n", token)
		}
		return answer, err
	case "renew":
		return "", w.service.Renew(ctx, id, token, w.clock.Now().Add(span(t, d, arg(d, "span", "2h"))))
	case "release":
		return "", w.service.Release(ctx, id, token)
	case "order":
		return "", w.service.Command(ctx, fleet.Order{Robot: id, Token: token, Kind: fleet.OrderKind(word(d))})
	case "contact":
		w.link.Lose(id, word(d) == "lost")
		return "", nil
	case "restart":
		w.timers.Clear()
		return "", w.service.Resume(ctx, "m")
	case "wait":
		until := w.clock.Now().Add(span(t, d, word(d)))
		return "", w.timers.Run(w.clock, until, func(k clock.Key) error { return w.service.Fire(ctx, k) })
	case "show":
		return w.show(t, id), nil
	}
	d.Fatalf(t, "unknown command %q", d.Cmd)
	return "", nil
}

func (w *world) report(t *testing.T, d *datadriven.TestData, id fleet.RobotID) fleet.Telemetry {
	return fleet.Telemetry{
		Robot: id, At: w.clock.Now().Add(-span(t, d, arg(d, "age", "0s"))), Activity: fleet.Activity(word(d)), Mode: fleet.Automatic,
		ChargeMWh: number(t, d, "charge", 900_000), Loaded: arg(d, "loaded", "") == "yes", Fault: arg(d, "fault", ""),
		Token: uint64(number(t, d, "token", 0)), Position: maps.Position{Edge: 3, OffsetMM: int32(number(t, d, "mm", 0))},
	}
}

// trace returns what happened and what robots were told since the last call.
func (w *world) trace() string {
	var b strings.Builder
	for _, e := range w.journal.Take() {
		switch e.Kind {
		case "fleet.state":
			var c fleet.StateChange
			decode(e.Data, &c)
			fmt.Fprintf(&b, "%s %s %s -%s-> %s%s\n", fake.Time(e.T), c.Robot, c.From, c.Event, c.To, because(c.Cause))
		case "fleet.reserved", "fleet.released":
			var c fleet.Claim
			decode(e.Data, &c)
			fmt.Fprintf(&b, "%s %s %s %s token %d%s\n", fake.Time(e.T), c.Robot, strings.TrimPrefix(e.Kind, "fleet."), c.Holder, c.Token, because(c.Cause))
		default:
			fmt.Fprintf(&b, "%s %s %s\n", fake.Time(e.T), e.Entity, e.Kind)
		}
	}
	for _, o := range w.link.Orders[w.told:] {
		fmt.Fprintf(&b, "%s <- %s token %d\n", o.Robot, o.Kind, o.Token)
	}
	w.told = len(w.link.Orders)
	return b.String()
}

func because(cause string) string {
	if cause == "" {
		return ""
	}
	return " (" + cause + ")"
}

func decode(data []byte, into any) {
	if err := json.Unmarshal(data, into); err != nil {
		panic("an event's data is of its own type: " + err.Error())
	}
}

// show prints a robot and the timers that are armed.
func (w *world) show(t *testing.T, id fleet.RobotID) string {
	r, err := w.service.Robot(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%s since %s", r.State, fake.Time(r.StateSince))
	if r.Before != "" {
		out += fmt.Sprintf(", was %s", r.Before)
	}
	if h := r.Reservation; h != nil {
		out += fmt.Sprintf(", held by %s, token %d, until %s", h.Holder, h.Token, fake.Time(h.Expires))
	}
	return out + "\n" + w.timers.String()
}
