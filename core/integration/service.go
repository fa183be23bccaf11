package integration

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// Options say how long a service waits and remembers.
type Options struct {
	// Patience is how long a gap may last before somebody must look: longer than the broker needs
	// to bring again what was not acknowledged.
	Patience clock.Duration
	// Retention is how long entries are kept, at least MinRetention.
	Retention clock.Duration
}

// MinRetention is above the longest silence between two updates of a delivery,
// which may be ordered a month ahead: forgetting it meanwhile would hold its next update for ever.
const MinRetention = 45 * clock.Day

// slack is between refusing an update and forgetting its delivery, for the time
// that a call takes and for clocks of replicas that differ.
const slack = clock.Day

// DefaultOptions suit a broker that redelivers within seconds, and partners
// that reconcile once a month.
func DefaultOptions() Options {
	return Options{Patience: clock.Minute, Retention: 90 * clock.Day}
}

// Service takes updates from the broker, and looks after the log.
type Service struct {
	log   Log
	clock clock.Clock
	o     Options
}

// NewService returns a service over a log. Options that cannot work are a fault.Invalid.
func NewService(l Log, c clock.Clock, o Options) (*Service, error) {
	const op = "integration.NewService"
	if o.Patience <= 0 {
		return nil, fault.New(op, fault.Invalid, "bad_options", "patience is %s; want more than 0s", o.Patience)
	}
	if o.Retention < MinRetention {
		return nil, fault.New(op, fault.Invalid, "bad_options", "retention is %s; want at least %s, above the longest silence of a delivery", o.Retention, MinRetention)
	}
	return &Service{log: l, clock: c, o: o}, nil
}

// Take records updates, all or none; see Log.Take. fault.Invalid (an update is
// no update, or so old that its delivery may have been forgotten) and fault.Conflict will
// never pass: the same updates one by one tell which is to blame. After anything else
// the caller tries again.
func (s *Service) Take(ctx context.Context, u ...delivery.Update) error {
	const op = "integration.Take"
	oldest := s.horizon().Add(slack)
	for i := range u {
		if err := u[i].Check(); err != nil {
			return &fault.Error{Op: op, Kind: fault.Invalid, Reason: "bad_update", Err: err}
		}
		if u[i].At < oldest {
			return fault.New(op, fault.Invalid, "too_old", "update %s/%d is of %s; what happened before %s may have been forgotten, and would be told twice", u[i].Delivery, u[i].Sequence, u[i].At, oldest)
		}
	}
	return s.log.Take(ctx, u...)
}

// Overdue returns gaps that have lasted longer than patience, the oldest first,
// at most limit. Somebody must have the missing updates sent again: from the
// dead letters, or from the outbox.
func (s *Service) Overdue(ctx context.Context, limit int) ([]Gap, error) {
	gaps, err := s.log.Gaps(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("overdue gaps: %w", err)
	}
	latest := s.clock.Now().Add(-s.o.Patience)
	for i := range gaps {
		if gaps[i].Since > latest {
			return gaps[:i], nil
		}
	}
	return gaps, nil
}

// Trim forgets what is older than retention, and returns how many entries that were.
func (s *Service) Trim(ctx context.Context) (int, error) {
	n, err := s.log.Trim(ctx, s.horizon())
	if err != nil {
		return n, fmt.Errorf("trim partners' logs: %w", err)
	}
	return n, nil
}

func (s *Service) horizon() clock.Time { return s.clock.Now().Add(-s.o.Retention) }
