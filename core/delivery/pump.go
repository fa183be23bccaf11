package delivery

import (
	"context"
	"fmt"

	"footway/core/dispatch"
	"footway/core/market"
	"footway/core/task"
)

// batch is how many entries of a feed are read at once.
const batch = 200

// DecisionCursor names the cursor that says how far a market's decisions were read.
func DecisionCursor(m market.ID) string { return "decisions/" + string(m) }

// ChangeCursor names the cursor that says how far the changes of a market's tasks were read.
func ChangeCursor(m market.ID) string { return "changes/" + string(m) }

// Pump reads what Dispatch decided and what happened to tasks since the last
// time, and applies it. An entry whose effect could not be saved is read again by the
// next Pump, as is everything behind it.
func (s *Service) Pump(ctx context.Context, m market.ID) error {
	for {
		// Changes first: what a robot did counts more than that it was not heard of.
		changes, err := s.pumpChanges(ctx, m)
		if err != nil {
			return err
		}
		decisions, err := s.pumpDecisions(ctx, m)
		if err != nil {
			return err
		}
		if decisions+changes == 0 {
			return nil
		}
	}
}

// pumpDecisions applies one batch of decisions and returns its size.
func (s *Service) pumpDecisions(ctx context.Context, m market.ID) (int, error) {
	name := DecisionCursor(m)
	at, err := s.Cursors.Cursor(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("cursor %s: %w", name, err)
	}
	entries, next, err := s.Decisions.Decisions(ctx, m, dispatch.Cursor(at), batch)
	if err != nil {
		return 0, fmt.Errorf("decisions of %s after %q: %w", m, at, err)
	}
	for i := range entries {
		if err := s.decide(ctx, entries[i]); err != nil {
			return 0, err
		}
	}
	return len(entries), s.saveCursor(ctx, name, at, string(next))
}

// pumpChanges applies one batch of changes and returns its size.
func (s *Service) pumpChanges(ctx context.Context, m market.ID) (int, error) {
	name := ChangeCursor(m)
	at, err := s.Cursors.Cursor(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("cursor %s: %w", name, err)
	}
	entries, next, err := s.TaskFeed.Changes(ctx, m, task.Cursor(at), batch)
	if err != nil {
		return 0, fmt.Errorf("changes of %s after %q: %w", m, at, err)
	}
	for i := range entries {
		if err := s.hear(ctx, entries[i]); err != nil {
			return 0, err
		}
	}
	return len(entries), s.saveCursor(ctx, name, at, string(next))
}

func (s *Service) saveCursor(ctx context.Context, name, before, after string) error {
	if before == after {
		return nil
	}
	if err := s.Cursors.SaveCursor(ctx, name, after); err != nil {
		return fmt.Errorf("cursor %s: %w", name, err)
	}
	return nil
}
