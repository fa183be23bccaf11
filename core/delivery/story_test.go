package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// TestStories runs testdata/*.txt. Each command prints the updates that it led to
// and what the services next door were told.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d stories, %v; want at least 5", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			c := newCity(t, &fake.Losses{})
			datadriven.RunTest(t, f, func(t *testing.T, d *datadriven.TestData) string {
				c.t = t
				err := play(c, strings.Fields(d.Cmd), words(d))
				if err == nil {
					err = c.pump()
				}
				c.check()
				return c.trace(err)
			})
		})
	}
}

// words returns the arguments of a command as "key" or "key=value".
func words(d *datadriven.TestData) map[string]string {
	all := map[string]string{}
	for i, a := range d.CmdArgs {
		if len(a.Vals) == 0 {
			all[fmt.Sprint(i)] = a.Key
		} else {
			all[a.Key] = strings.Join(a.Vals, ",")
		}
	}
	return all
}

// trace returns what happened since the last one.
func (c *city) trace(err error) string {
	var b strings.Builder
	for _, u := range c.sent {
		b.WriteString(describe(u) + "\n")
	}
	for _, call := range c.calls {
		b.WriteString("  " + call + "\n")
	}
	c.sent, c.calls = nil, nil
	if err != nil {
		fmt.Fprintf(&b, "%v error %s\n", fault.KindOf(err), fault.ReasonOf(err))
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

// play executes one command of a story. "0" is the first plain word behind it.
func play(c *city, cmd []string, w map[string]string) error {
	ctx, id := context.Background(), delivery.ID(w["0"])
	switch cmd[0] {
	case "quote", "create":
		return ask(c, cmd[0], w)
	case "refuse":
		c.desk.refuse = w["0"]
		return nil
	case "accept":
		_, err := c.Accept(ctx, "dd", w["0"], delivery.AcceptRequest{})
		return err
	case "cancel":
		_, err := c.Cancel(ctx, "dd", w["0"], "changed mind")
		return err
	case "edit":
		return edit(c, w)
	case "ready":
		return c.Ready(ctx, id, c.clock.Now())
	case "cannot-come":
		return c.CannotCome(ctx, id)
	case "assign":
		in, err := clock.ParseDuration(w["in"])
		c.desk.decide(w["0"], dispatch.Assigned, fleet.RobotID(w["robot"]), in, "")
		return err
	case "lost":
		c.desk.decide(w["0"], dispatch.Lost, c.get(w["0"]).Robot, 0, "no contact")
		return nil
	case "gave-up":
		c.desk.decide(w["0"], dispatch.GaveUp, "", 0, "no robot in time")
		return nil
	case "robot":
		return robot(c, w)
	case "hatch-open":
		c.board.hatch = w["0"] == "true"
		return nil
	case "tasks-refuse":
		c.board.refuse = w["0"] == "true"
		return nil
	case "wait":
		d, err := clock.ParseDuration(w["0"])
		return errors.Join(err, c.wait(d))
	case "restart":
		c.timers.Clear()
		c.start()
		return c.Resume(ctx, here)
	case "show":
		return show(c, w["0"])
	}
	return fmt.Errorf("unknown command %q", cmd[0])
}

func ask(c *city, kind string, w map[string]string) error {
	r := request(w["0"])
	r.ReadyAt = c.clock.Now().Add(5 * clock.Minute)
	if w["hash"] != "" {
		r.RequestHash = w["hash"]
	}
	if w["market"] != "" {
		r.Market = market.ID(w["market"])
	}
	r.IfUndeliverable = delivery.Undeliverable(w["undeliverable"])
	if kind == "create" {
		_, err := c.Create(context.Background(), r)
		return err
	}
	_, err := c.Quote(context.Background(), r)
	return err
}

func edit(c *city, w map[string]string) error {
	var e delivery.Edit
	if to := w["dropoff"]; to != "" {
		e.Dropoff = &dispatch.Place{Address: to}
	}
	if n := w["tip"]; n != "" {
		var tip delivery.Money
		if _, err := fmt.Sscan(n, &tip); err != nil {
			return err
		}
		e.Tip = &tip
	}
	if in := w["ready"]; in != "" {
		d, err := clock.ParseDuration(in)
		if err != nil {
			return err
		}
		at := c.clock.Now().Add(d)
		e.ReadyAt = &at
	}
	if phone := w["phone"]; phone != "" {
		e.DropoffPhone = &phone
	}
	_, err := c.Edit(context.Background(), "dd", w["0"], e)
	return err
}

// robot reports one or several things one after the other: robot d1.1 started arrived.
func robot(c *city, w map[string]string) error {
	for i := 1; w[fmt.Sprint(i)] != ""; i++ {
		if err := c.board.report(task.ID(w["0"]), task.ChangeKind(w[fmt.Sprint(i)]), w["cause"]); err != nil {
			return err
		}
	}
	return nil
}

func show(c *city, id string) error {
	d := c.get(id)
	c.call("%s by %q attempt %d asked %v failed %v owed %d", d.State, d.Robot, d.Attempt, d.Asked, d.Failed, len(d.Owed))
	for _, x := range d.Custody {
		c.call("%s had the goods since %s: %s", x.Carrier, fake.Time(x.From), x.Cause)
	}
	for _, f := range d.FeeParts {
		c.call("%s %d", f.Kind, f.Amount)
	}
	for line := range strings.Lines(c.timers.String()) {
		c.call("timer %s", strings.TrimSpace(line))
	}
	return nil
}
