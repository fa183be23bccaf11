package task

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
)

// What timers are for.
const (
	whatDeadline = "deadline" // the current step becomes overdue
	whatConfirm  = "confirm"  // the hatch has been closed for long enough
	whatTell     = "tell"     // the robot could not be reached
)

func key(id ID, what string) clock.Key {
	return clock.Key{Service: "task", Entity: string(id), What: what}
}

// arm sets the timers that the state of t asks for.
func (s *Service) arm(t *Task) {
	set := func(what string, at clock.Time) {
		if at > 0 {
			s.Timers.Set(key(t.ID, what), at)
		} else {
			s.Timers.Cancel(key(t.ID, what))
		}
	}
	set(whatDeadline, t.deadline())
	var confirm clock.Time
	if t.State == Active {
		confirm = t.Steps[t.Current].ConfirmAt
	}
	set(whatConfirm, confirm)
}

// Fire is called when a timer of Service is due.
func (s *Service) Fire(ctx context.Context, k clock.Key) error {
	var err error
	id := ID(k.Entity)
	switch k.What {
	case whatDeadline:
		err = s.change(ctx, "deadline of", id, (*draft).overdue)
	case whatConfirm:
		err = s.change(ctx, "closing of", id, (*draft).closed)
	case whatTell:
		err = s.tellAgain(ctx, id)
	default:
		return fault.New("task.Fire", fault.Invalid, "", "unknown timer %+v", k)
	}
	if fault.Is(err, fault.Unavailable) {
		s.Timers.Set(k, s.Clock.Now().Add(5*clock.Second)) // a store that fails must not lose the timer
	}
	return err
}

// Resume arms the timers of a market's tasks and tells its robots what they
// may not have heard, as after a restart.
func (s *Service) Resume(ctx context.Context, m market.ID) error {
	const page = 200
	var after ID
	for {
		tasks, err := s.Active.Active(ctx, m, after, page)
		if err != nil {
			return fmt.Errorf("resume %s: %w", m, err)
		}
		for i := range tasks {
			t := &tasks[i]
			s.arm(t)
			if err := s.tell(ctx, t, t.unanswered(s.Clock.Now(), s.Settings(m))); err != nil {
				return fmt.Errorf("resume %s: task %s: %w", m, t.ID, err)
			}
			after = t.ID
		}
		if len(tasks) < page {
			return nil
		}
	}
}
