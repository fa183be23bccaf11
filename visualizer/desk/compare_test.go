package desk_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"footway/adapters/zstd"
	"footway/cmd/twin"
	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/core/runlog"
	"footway/visualizer/desk"
	"footway/visualizer/play"
)

var update = flag.Bool("update", false, "write the golden files anew")

// otherLog is the run of twintest with robots that are sent out nearest first.
var otherLog = sync.OnceValues(func() ([]byte, error) {
	rush, err := twintest.Made()
	if err != nil {
		return nil, err
	}
	s := rush.Scenario
	if err := s.Set("settings.dispatch.policy=nearest"); err != nil {
		return nil, err
	}
	settings, errs := s.Config()
	if len(errs) > 0 {
		return nil, errs[0]
	}
	var log bytes.Buffer
	run, err := twin.New(context.Background(), twin.Options{Scenario: s, Network: rush.Network, Settings: settings, Log: &log, Codec: &zstd.Codec{}})
	if err != nil {
		return nil, err
	}
	err = run.All(context.Background(), nil)
	return log.Bytes(), err
})

func otherRun(t *testing.T) *play.Run {
	t.Helper()
	text, err := otherLog()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := runlog.Open(bytes.NewReader(text), int64(len(text)), &zstd.Codec{})
	if err != nil {
		t.Fatal(err)
	}
	_, r := twintest.Open(t)
	run, err := play.Open(play.NewFile(reader), r.Network)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// compared sits at a desk with two runs and the comparison open.
func compared(t *testing.T) *person {
	t.Helper()
	p := sit(t, func(o *desk.Options) { o.Name, o.Other, o.OtherName = "rolling", otherRun(t), "nearest" })
	p.press("4")
	for range 5 { // 25 minutes
		p.press("]")
	}
	return p
}

// golden compares what is told with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name + ".golden"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is otherwise than in %s; if it is right: go test ./visualizer/desk -update\n%s", name, file, got)
	}
}

// panelTexts writes down what the panel at the right side says, line by line.
func (p *person) panelTexts() string {
	var b strings.Builder
	last := float32(-1)
	for _, x := range p.pic.Over.Texts {
		if x.X < 1440-340 || x.Y > 900-74 {
			continue
		}
		if x.Y != last && last >= 0 {
			b.WriteByte('\n')
		} else if last >= 0 {
			b.WriteString(" | ")
		}
		b.WriteString(x.S)
		last = x.Y
	}
	return b.String() + "\n"
}

// TestComparePanel: which orders are earlier and later in B, and the numbers with their intervals.
func TestComparePanel(t *testing.T) {
	p := compared(t)
	golden(t, "compare", p.panelTexts())
	a, b := opened(t), otherRun(t)
	c := play.Compare(scanned(t, a, p.d.Status().Time), scanned(t, b, p.d.Status().Time), p.d.Status().Time)
	n := c.Tally()
	for what, count := range map[string]int{"earlier in B": n.Earlier, "later in B": n.Later, "only in A so far": n.OnlyA, "only in B so far": n.OnlyB, "at the same time": n.Same} {
		if line := fmt.Sprintf("%s | %d", what, count); !strings.Contains(p.panelTexts(), line) {
			t.Errorf("the panel does not say %q", line)
		}
	}
	if n.Earlier == 0 || n.Later == 0 {
		t.Errorf("%+v: the runs do not differ enough for this test", n)
	}
}

// TestChartsPanel: charts say their scale, in units, and what their lines are now.
func TestChartsPanel(t *testing.T) {
	p := compared(t)
	p.press("2")
	golden(t, "charts", p.panelTexts())
}

func scanned(t *testing.T, run *play.Run, at clock.Time) *play.Run {
	t.Helper()
	if _, err := run.Scan(1 << 30); err != nil {
		t.Fatal(err)
	}
	if _, err := run.At(at); err != nil {
		t.Fatal(err)
	}
	return run
}

// TestCompareClick: a click on an order selects it in both runs, whatever they call it.
func TestCompareClick(t *testing.T) {
	p := compared(t)
	p.press("V", desk.End)
	a, b := opened(t), otherRun(t)
	c := play.Compare(scanned(t, a, p.d.Status().Time), scanned(t, b, p.d.Status().Time), p.d.Status().Time)
	done := 0
	for _, o := range c.Biggest(5) {
		if o.A == "" || o.B == "" {
			continue
		}
		p.button(o.A)
		if got := p.d.Status().Selection; got != "delivery/"+o.A {
			t.Errorf("a click on %s selects %q", o.A, got)
		}
		for i, want := range []string{o.A, o.B} {
			if got := p.inspected(i); got != want {
				t.Errorf("%s: pane %d tells of %q; want %q", o.A, i, got, want)
			}
		}
		if o.A != o.B {
			done++
		}
	}
	if done == 0 {
		t.Error("no order has two names: this tests nothing")
	}
}

// inspected returns the title of a pane's inspector.
func (p *person) inspected(pane int) string {
	for _, l := range p.pic.Panes[pane].Frame.Layers {
		if l.Name == "panel" && len(l.Texts) > 0 {
			return l.Texts[0].S
		}
	}
	return ""
}

// TestDifferenceNames: the difference on the map says which run is which.
func TestDifferenceNames(t *testing.T) {
	p := compared(t)
	p.press(desk.Escape, "V")
	p.press("D")
	for i, want := range [][2]string{{"A  rolling", "IN B  nearest"}, {"B  nearest", ""}} {
		var texts []string
		for _, l := range p.pic.Panes[i].Frame.Layers {
			for _, x := range l.Texts {
				texts = append(texts, x.S)
			}
		}
		all := strings.Join(texts, "\n")
		if !strings.Contains(all, want[0]) || !strings.Contains(all, want[1]) {
			t.Errorf("pane %d says neither %q nor %q:\n%s", i, want[0], want[1], all)
		}
	}
}

// TestPinchInPane: of two panes, too, the place between two fingers stays there.
func TestPinchInPane(t *testing.T) {
	p := compared(t)
	p.press(desk.Escape, "V")
	p.frames(3)
	pane := p.pic.Panes[1]
	under := func(x, y float32) (float32, float32) {
		return p.pic.Panes[1].Frame.Transform.Invert(x-float32(pane.X), y)
	}
	x0, y0 := under(1000, 400)
	for _, apart := range []float32{100, 130, 160} {
		p.frame(func(in *desk.Input) {
			in.Touches = []desk.Touch{{ID: 1, X: 1000 - apart, Y: 400}, {ID: 2, X: 1000 + apart, Y: 400}}
		})
	}
	p.frame(nil)
	if x, y := under(1000, 400); absf(x-x0) > 2 || absf(y-y0) > 2 {
		t.Errorf("two fingers moved the place between them by %.1f, %.1f m", x-x0, y-y0)
	}
}
