package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// must runs a command as its callers do: again, while its answer is lost.
func (c *city) must(what string, command func() error) {
	c.t.Helper()
	if err := fake.Again(command); err != nil {
		c.t.Fatalf("%s (loss of call %d, %s, %s): %v", what, c.losses.At, c.losses.Hit, c.losses.Side, err)
	}
}

// after runs a command, lets a little time pass for what is retried, and reads the feeds.
func (c *city) after(what string, command func() error) {
	c.t.Helper()
	c.must(what, command)
	c.must("pump after "+what, c.pump)
	c.must("wait after "+what, func() error { return c.wait(11 * clock.Second) })
	c.must("pump after "+what, c.pump)
}

func (c *city) robotSays(attempt int, kinds ...task.ChangeKind) {
	c.t.Helper()
	for _, k := range kinds {
		c.after(string(k), func() error { return c.board.report(task.ID(fmt.Sprintf("%s.%d", c.id(), attempt)), k, "broken") })
	}
}

// id returns the id of the story's delivery, which depends on how often its creation was tried.
func (c *city) id() string {
	d, err := c.store.ByExternal(context.Background(), "dd", "A1")
	if err != nil {
		c.t.Fatal(err)
	}
	return string(d.ID)
}

func (c *city) assign(robot fleet.RobotID) {
	c.t.Helper()
	c.after("assign "+string(robot), func() error {
		c.desk.decide(c.id(), dispatch.Assigned, robot, clock.Minute, "")
		return nil
	})
}

// TestEveryLoss tells long stories, in each of which one call is lost, before or
// after its effect, one story for each call. They must all end alike.
func TestEveryLoss(t *testing.T) {
	ctx := context.Background()
	stories := map[string]func(*city){
		"quote, edit, redispatch, takeover, delivered": func(c *city) {
			c.after("quote", func() error { _, err := c.Quote(ctx, request("A1")); return err })
			c.after("accept", func() error {
				_, err := c.Accept(ctx, "dd", "A1", delivery.AcceptRequest{DropoffPhone: "+12065550999"})
				return err
			})
			c.assign("r1")
			c.robotSays(1, task.Started, task.StepFailed)
			c.assign("r2")
			c.after("edit", func() error {
				_, err := c.Edit(ctx, "dd", "A1", delivery.Edit{Dropoff: &dispatch.Place{Address: "far"}})
				return err
			})
			c.after("ready", func() error { return c.Ready(ctx, delivery.ID(c.id()), c.clock.Now()) })
			c.robotSays(2, task.Started, task.Arrived, task.Started, task.Confirmed, task.Started, task.StepFailed)
			c.assign("c1")
			c.robotSays(3, task.Started, task.Arrived, task.Confirmed, task.Started, task.Arrived, task.Confirmed)
		},
		"nobody comes": func(c *city) {
			c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
			c.assign("r1")
			c.robotSays(1, task.Started, task.Arrived, task.Started, task.Confirmed, task.Started, task.Arrived, task.Started)
			c.must("wait", func() error { return c.wait(11 * clock.Minute) })
			c.robotSays(1, task.Started, task.Arrived, task.Started, task.Confirmed)
		},
		"cancelled": func(c *city) {
			c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
			c.assign("r1")
			c.after("cancel", func() error { _, err := c.Cancel(ctx, "dd", "A1", "changed mind"); return err })
		},
		"given up with the goods": func(c *city) {
			c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
			c.assign("r1")
			c.robotSays(1, task.Started, task.Arrived, task.Started, task.Confirmed, task.Started)
			c.after("lost", func() error { c.desk.decide(c.id(), dispatch.Lost, "r1", 0, "no contact"); return nil })
			c.must("wait", func() error { return c.wait(50 * clock.Minute) })
		},
	}
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			var want []string
			runs := fake.EachLoss(func(l *fake.Losses) {
				c := newCity(t, l)
				story(c)
				got := c.settled()
				if want == nil {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("losing call %d (%s) %s its effect changed the story (-want +got):\n%s", l.At, l.Hit, l.Side, diff)
				}
			})
			if runs < 40 {
				t.Errorf("only %d losses were tried", runs)
			}
		})
	}
}

// settled checks that nothing is left over, and returns what was published, without times.
func (c *city) settled() []string {
	c.t.Helper()
	where := fmt.Sprintf("loss of call %d (%s) %s its effect", c.losses.At, c.losses.Hit, c.losses.Side)
	c.check()
	d := c.get(c.id())
	if !d.State.Ended() || len(d.Owed) > 0 || len(c.timers.All()) > 0 {
		c.t.Errorf("%s: %s, owes %v, timers %s", where, d.State, d.Owed, c.timers)
	}
	if len(c.desk.held) > 0 || len(c.desk.requests) > 0 {
		c.t.Errorf("%s: robots %v are still held, requests %v are open", where, c.desk.held, c.desk.requests)
	}
	for _, t := range c.board.tasks {
		if t.State == task.Active {
			c.t.Errorf("%s: task %s is still active", where, t.ID)
		}
	}
	var journaled []uint64
	for _, e := range c.journal.Events {
		if e.Version > 0 && e.Kind != "delivery.expired" {
			journaled = append(journaled, e.Version)
		}
	}
	var all []string
	last := uint64(0)
	for _, u := range c.sent {
		if u.Sequence == last {
			continue // published twice
		}
		if u.Sequence != last+1 {
			c.t.Errorf("%s: update %d was published after %d", where, u.Sequence, last)
		}
		last = u.Sequence
		all = append(all, fmt.Sprintf("%d %s %s>%s %s %s %d", u.Sequence, u.Kind, u.From, u.To, u.Cause, u.Robot, u.Fee))
	}
	if last != d.Sequence || len(journaled) != int(d.Sequence) || !slices.IsSorted(journaled) {
		c.t.Errorf("%s: %d updates, published to %d, in the journal %v", where, d.Sequence, last, journaled)
	}
	return all
}
