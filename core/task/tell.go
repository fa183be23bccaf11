package task

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
)

// unanswered returns what the robot has been told and has not reported on yet.
func (t *Task) unanswered(now clock.Time, set Settings) (kinds []InstructionKind) {
	switch t.State {
	case Active:
		s := &t.Steps[t.Current]
		if s.Status == Pending {
			kinds = append(kinds, Do)
		}
		if s.Asked == Confirm || s.Asked == Open && now < s.AskedAt.Add(set.OpenFor) {
			kinds = append(kinds, s.Asked)
		}
	case Cancelled:
		if now < t.Events[len(t.Events)-1].At.Add(set.DropFor) {
			kinds = append(kinds, Drop)
		}
	}
	return kinds
}

// instruction returns what to send the robot.
func (t *Task) instruction(kind InstructionKind) Instruction {
	i := min(t.Current, len(t.Steps)-1)
	step := t.Steps[i]
	step.PIN = ""
	return Instruction{Task: t.ID, Delivery: t.Delivery, Token: t.Token, Kind: kind, Index: i, Step: step}
}

// tell sends instructions to the robot. If it cannot be reached it is told
// again later; if it follows a newer token the task has failed.
func (s *Service) tell(ctx context.Context, t *Task, kinds []InstructionKind) error {
	for _, kind := range kinds {
		err := s.Link.Instruct(ctx, t.Robot, t.instruction(kind))
		switch {
		case err == nil:
		case fault.Is(err, fault.Unavailable):
			s.Timers.Set(key(t.ID, whatTell), s.Clock.Now().Add(s.Settings(t.Market).TellEvery))
			return nil
		case fault.Is(err, fault.Conflict):
			return s.change(ctx, "fail", t.ID, func(d *draft) (bool, error) {
				if d.State != Active {
					return false, nil // whoever has the robot now has made it forget the task
				}
				d.fail("superseded")
				return true, nil
			})
		default:
			return fmt.Errorf("tell %s to %s: %w", t.Robot, kind, err)
		}
	}
	return nil
}

// tellAgain sends what is unanswered after the robot could not be reached.
func (s *Service) tellAgain(ctx context.Context, id ID) error {
	t, err := s.Store.Task(ctx, id)
	if err != nil {
		return fmt.Errorf("tell again %s: %w", id, err)
	}
	return s.tell(ctx, &t, t.unanswered(s.Clock.Now(), s.Settings(t.Market)))
}
