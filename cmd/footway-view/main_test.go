//go:build !js

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"footway/adapters/zstd"
	"footway/cmd/twin"
	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/core/maps"
	"footway/visualizer/desk"
	"footway/visualizer/window"
)

// kept writes a run the way footway run --out does.
func kept(t *testing.T) string {
	t.Helper()
	_, rush := twintest.Open(t)
	dir := t.TempDir()
	var net bytes.Buffer
	if err := maps.Encode(&net, rush.Network, &zstd.Codec{}); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"run.fwlog": rush.Log, "market.fwnet": net.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// openArgs opens what a command line names, without a window.
func openArgs(t *testing.T, args ...string) (*desk.Desk, error) {
	t.Helper()
	f, err := parseFlags(args, io.Discard)
	if err != nil {
		return nil, err
	}
	var o window.Options
	closer, err := f.open(t.Context(), &o)
	t.Cleanup(closer)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if d, _, _, err := o.Opening.Step(50 * time.Millisecond); d != nil || err != nil {
			return d, err
		}
	}
	t.Fatal("nothing was opened")
	return nil, nil
}

func TestOpen(t *testing.T) {
	dir := kept(t)
	d, err := openArgs(t, dir, "--at", "12:30", "--select", "robot/r2", "--compare", filepath.Join(dir, "run.fwlog"), "--theme", "dark")
	if err != nil {
		t.Fatal(err)
	}
	d.Update(desk.Input{Width: 800, Height: 600, Scale: 1})
	if s := d.Status(); s.Runs != 2 || s.After != 50*clock.Minute || s.Selection != "robot/r2" || !s.Dark || s.Robots != 25 {
		t.Errorf("%+v; want two runs, 50 minutes after the beginning, r2 selected, dark", s)
	}
	for _, tt := range []struct {
		args string
		want string
	}{
		{"missing.fwlog", "no such run log"},
		{dir + " --at 9:99", "time of day"},
		{dir + " --at 23:00", "goes from 11:40"},
		{dir + " --select r2", "robot/ID"},
		{dir + " --theme pink", "light or dark"},
		{dir + " " + dir, "--compare"},
		{dir + " --demo rain", "one of"},
		{dir + " --market city:x", "a number"},
		{dir + " --scenario missing.yaml", "missing.yaml"},
		{"--demo no-such", "no such scenario"},
		{"--view nonsense=1", "there is no \"nonsense\""},
		{"--view at=12:30", "such as +1h20m"},
		{"--view run=x --view scenario=rain&run=y", "one of"},
	} {
		if _, err := openArgs(t, strings.Fields(tt.args)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.args, err, tt.want)
		}
	}
}

// rush is the lunch rush, looked at from a time of day on.
func rush(clock string) look {
	l := look{Link: desk.NewLink(), clock: clock}
	l.Source.Scenario = "lunch-rush"
	return l
}

// TestViewAgain opens what the desk tells of itself, and finds the same picture: a fork included.
func TestViewAgain(t *testing.T) {
	const view = "scenario=rain&set=duration=40m&set=fleet.robots=6&seed=5&at=+25m&speed=2&map=47.6212000,-122.3309000,0.5&layers=-trails&theme=dark&panel=tune&fork=+15m&change=dispatch.policy=nearest"
	seen := func(text string, more ...string) (desk.Status, string) {
		d, err := openArgs(t, append([]string{"--view", text}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(patience); ; {
			d.Update(desk.Input{Width: 800, Height: 600, Scale: 1})
			if s := d.Status(); s.After == 25*clock.Minute && s.Runs == 2 {
				return s, d.Link().String()
			}
			if time.Now().After(deadline) {
				t.Fatalf("the view did not come about: %+v", d.Status())
			}
		}
	}
	first, text := seen(view)
	if !first.Dark || first.Speed != 2 || first.Robots != 6+1 {
		t.Errorf("%+v; want six robots and a courier, at night, twice as fast", first)
	}
	again, same := seen(text)
	if same != text {
		t.Errorf("the same view tells of itself\n%s\nand then\n%s", text, same)
	}
	if again.Robots != first.Robots || again.Selection != first.Selection || again.After != first.After {
		t.Errorf("seen again: %+v; want %+v", again, first)
	}
	if day, _ := seen(text, "--theme", "light"); day.Dark {
		t.Error("a flag does not go before the view")
	}
}

// TestForkIsTheRunUntilThen runs a scenario again with another setting from the middle on.
func TestForkIsTheRunUntilThen(t *testing.T) {
	_, rush := twintest.Open(t)
	rain, err := builtIn("rain")
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLab(rain, rush.Network, []string{"duration=20m", "fleet.robots=6"})
	if err != nil {
		t.Fatal(err)
	}
	const after = 15 * clock.Minute
	a := forked(t, l, 0)
	b := forked(t, l, after, "dispatch.policy=nearest")
	parted := clock.Duration(-1)
	for i := range min(len(a.live.Blocks()), len(b.live.Blocks())) {
		x, errX := a.live.Events(i)
		y, errY := b.live.Events(i)
		if errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
		for k := range min(len(x), len(y)) {
			if x[k].T != y[k].T || x[k].Kind != y[k].Kind || !bytes.Equal(x[k].Data, y[k].Data) {
				parted = x[k].T.Sub(a.live.Blocks()[0].From)
				break
			}
		}
		if parted >= 0 {
			break
		}
	}
	if parted < after {
		t.Errorf("the runs part %v after the start; want not before %v", parted, after)
	}
	if want := "footway run rain --seed 13 --set duration=20m --set fleet.robots=6 --set-at 15m:dispatch.policy=nearest"; b.Command() != want {
		t.Errorf("command %q, want %q", b.Command(), want)
	}
	text, err := b.Configuration()
	if err != nil || !strings.Contains(string(text), `"policy": "nearest"`) {
		t.Errorf("configuration %s, %v; want the policy in it", text, err)
	}
	for assignment, want := range map[string]string{"fleet.robots=9": "from the start", "dispatch.policy=best": "nearest", "dispatch.polcy=nearest": "no such"} {
		if _, err := l.Fork(after, []string{assignment}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fork with %s: %v, want an error with %q", assignment, err, want)
		}
	}
}

// forked returns a run of a lab with other settings from an instant on, at its end.
func forked(t *testing.T, l *lab, after clock.Duration, assignments ...string) *future {
	t.Helper()
	f, err := l.Fork(after, assignments)
	for done := false; !done && err == nil; {
		done, err = f.Step(time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	x, ok := f.(*future)
	if !ok {
		t.Fatalf("%T", f)
	}
	return x
}

// replayed writes a replay of two requests of a partner the way footway replay --out does.
func replayed(t *testing.T) string {
	t.Helper()
	dir := kept(t)
	const ask = `{"at": "2026-06-12T11:0%d:00Z", "partner": "acme", "method": "POST", "path": "/drive/v2/quotes%s", "headers": {}, "body": %s}` + "\n"
	const order = `{"external_delivery_id": "d-1", "pickup_address": "104 Hedgerow Terrace, Port Ellery", "pickup_phone_number": "+12065550107", "pickup_business_name": "Soup", "dropoff_address": "208 Hedgerow Terrace, Port Ellery", "dropoff_phone_number": "+12065550161", "order_value": 1500}`
	for name, text := range map[string]string{
		scenarioFile: "name: day\nstart: 2026-06-12T11:00\nduration: 30m\nfleet: {robots: 8}\ndemand: {recording: day.jsonl}\n",
		"day.jsonl":  fmt.Sprintf(ask, 1, "", order) + fmt.Sprintf(ask, 2, "/d-1/accept", "{}"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x, err := openRun(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := x.simulator()
	if err != nil {
		t.Fatal(err)
	}
	l.scenario.Seed = 5
	o, err := l.options()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "run.fwlog"))
	if err != nil {
		t.Fatal(err)
	}
	o.Log, o.Codec = f, &zstd.Codec{}
	run, err := twin.New(t.Context(), o)
	if err == nil {
		err = errors.Join(run.All(t.Context(), nil), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestReplayIsForked: a replay of partners' traffic is made anew, and with another setting, of what is beside its log.
func TestReplayIsForked(t *testing.T) {
	dir := replayed(t)
	show := func(link desk.Link) (*desk.Desk, error) {
		x, err := openRun(t.Context(), dir, "")
		if err != nil {
			return nil, err
		}
		return file(&x.opened, nil, look{Link: link})
	}
	for _, after := range []clock.Duration{0, 10 * clock.Minute} {
		link := desk.NewLink()
		link.Fork, link.Changes = after, []string{"dispatch.policy=nearest"}
		d, err := show(link)
		if err != nil {
			t.Fatal(err)
		}
		in := desk.Input{Width: 800, Height: 600, Scale: 1, Elapsed: 16 * time.Millisecond}
		for end := time.Now().Add(patience); d.Status().Growing || d.Status().Other["delivered"] == 0; d.Update(in) {
			if time.Now().After(end) {
				t.Fatalf("%+v; want the new run to come to its end", d.Status())
			}
		}
		if s := d.Status(); s.KPIs["delivered"] != 1 || s.Other["delivered"] != 1 || s.Error != "" {
			t.Errorf("forked after %v: %v and %v delivered, error %q; want the one of the recording", after, s.KPIs["delivered"], s.Other["delivered"], s.Error)
		}
		d.Update(desk.Input{Width: 800, Height: 600, Scale: 1, Keys: []desk.Key{"K"}})
		if r := d.Requests(); len(r) != 1 || !strings.Contains(r[0].Copy, "\nfootway run "+filepath.Join(dir, scenarioFile)+" --seed 5 ") {
			t.Errorf("copied %v; want a command that makes the run of its folder again", r)
		}
	}

	// What is wrong with it is told; the log is looked at all the same.
	if err := os.Remove(filepath.Join(dir, "day.jsonl")); err != nil {
		t.Fatal(err)
	}
	if _, err := show(desk.NewLink()); err != nil {
		t.Error(err)
	}
	link := desk.NewLink()
	link.Fork = 0
	if _, err := show(link); err == nil || !strings.Contains(err.Error(), "demand.recording: open ") || !strings.Contains(err.Error(), "day.jsonl") {
		t.Errorf("a fork without the recording: %v; want an error that names it", err)
	}
}

// TestAnotherRunIsNotForked: the scenario at hand is not what the log was made of.
func TestAnotherRunIsNotForked(t *testing.T) {
	reader, rush := twintest.Open(t)
	x := &opened{name: "rush", log: reader, net: rush.Network}
	run, err := x.play()
	if err != nil {
		t.Fatal(err)
	}
	if x.scenario, err = builtIn("lunch-rush"); err != nil {
		t.Fatal(err)
	}
	l, err := x.simulator()
	if err != nil {
		t.Fatal(err)
	}
	l.began = run.Began()
	if _, err := l.Fork(0, []string{"dispatch.policy=nearest"}); err == nil || !strings.Contains(err.Error(), "--scenario") {
		t.Errorf("error %v, want one that names --scenario", err)
	}
}
