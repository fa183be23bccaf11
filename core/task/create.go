package task

import (
	"context"
	"fmt"

	"footway/core/fault"
)

// IDOf returns the name of the task of an attempt of a delivery.
func IDOf(delivery string, attempt int) ID { return ID(fmt.Sprintf("%s.%d", delivery, attempt)) }

// Create makes a task and sends its first step to the robot. It is idempotent
// by (delivery, attempt): a repeat returns the task that is there. It fails with
// fault.Conflict if that is for another robot or token, reason "taken", or if the robot has
// an active task under the same or a higher token, reason "old_token".
func (s *Service) Create(ctx context.Context, r CreateRequest) (Task, error) {
	if err := checkCreate(r); err != nil {
		return Task{}, err
	}
	id := IDOf(r.Delivery, r.Attempt)
	for range maxTries {
		t, err := s.Store.Task(ctx, id)
		switch {
		case err == nil:
			return s.repeated(ctx, t, r)
		case !fault.Is(err, fault.NotFound):
			return Task{}, fmt.Errorf("create %s: %w", id, err)
		}
		if err := s.fenced(ctx, r); err != nil {
			return Task{}, err
		}
		d := draft{now: s.Clock.Now(), set: s.Settings(r.Market), Task: Task{
			ID: id, Market: r.Market, Delivery: r.Delivery, Attempt: r.Attempt, Robot: r.Robot, Token: r.Token, Steps: fresh(r.Steps),
		}}
		d.begin()
		saved, err := s.save(ctx, &d)
		if err == nil && !saved {
			continue
		}
		if err == nil {
			err = s.publish(ctx, &d, 0)
		}
		if err != nil {
			return Task{}, fmt.Errorf("create %s: %w", id, err)
		}
		return d.Task, nil
	}
	return Task{}, fault.New("task.Create", fault.Unavailable, "contended", "task %s: the store refused it %d times and never had it; try again", id, maxTries)
}

// repeated answers a repeat of a request that made t.
func (s *Service) repeated(ctx context.Context, t Task, r CreateRequest) (Task, error) {
	if t.Robot != r.Robot || t.Token != r.Token {
		return Task{}, fault.New("task.Create", fault.Conflict, "taken", "task %s is for robot %s under token %d, not for %s under %d", t.ID, t.Robot, t.Token, r.Robot, r.Token)
	}
	return t, s.tell(ctx, &t, t.unanswered(s.Clock.Now(), s.Settings(t.Market)))
}

// fenced returns an error if the robot works for somebody with a token as new as r's.
func (s *Service) fenced(ctx context.Context, r CreateRequest) error {
	active, err := s.Store.ActiveOf(ctx, r.Robot)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return fmt.Errorf("create %s: active task of %s: %w", IDOf(r.Delivery, r.Attempt), r.Robot, err)
	case active.Token >= r.Token && active.ID != IDOf(r.Delivery, r.Attempt):
		return fault.New("task.Create", fault.Conflict, "old_token", "robot %s does task %s under token %d; %d is not above", r.Robot, active.ID, active.Token, r.Token)
	}
	return nil
}

func checkCreate(r CreateRequest) error {
	if r.Market == "" || r.Delivery == "" || r.Robot == "" || r.Attempt < 1 || r.Token < 1 {
		return fault.New("task.Create", fault.Invalid, "", "delivery %q, attempt %d, robot %q, token %d in market %q: want all of them, numbers from 1", r.Delivery, r.Attempt, r.Robot, r.Token, r.Market)
	}
	return checkSteps("task.Create", r.Steps)
}

func checkSteps(op string, steps []Step) error {
	bad := func(i int, format string, args ...any) error {
		return fault.New(op, fault.Invalid, "", fmt.Sprintf("steps[%d]: ", i)+format, args...)
	}
	if len(steps) == 0 {
		return fault.New(op, fault.Invalid, "", "steps: none; want at least one")
	}
	for i, s := range steps {
		switch s.Kind {
		case Drive, Handoff, Charge, Wait:
		default:
			return bad(i, "kind is %q; want %s, %s, %s or %s", s.Kind, Drive, Handoff, Charge, Wait)
		}
		switch s.Purpose {
		case Load, Unload, Return, Transfer:
		case "":
			if s.Kind == Handoff {
				return bad(i, "a handoff needs a purpose")
			}
		default:
			return bad(i, "purpose is %q; want %s, %s, %s or %s", s.Purpose, Load, Unload, Return, Transfer)
		}
		if s.Budget < 0 {
			return bad(i, "budget is %v; want none (0) or more", s.Budget)
		}
		if s.PIN != "" && !fourDigits(s.PIN) {
			return bad(i, "the PIN is not four digits")
		}
	}
	return nil
}

func fourDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 4
}
