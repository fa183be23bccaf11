package fleet

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/market"
)

// Deps are what Service works with; all are required.
type Deps struct {
	Store     Store
	Telemetry TelemetryStore
	Accounts  AccountStore
	Link      Link
	Clock     clock.Clock
	Timers    clock.Timers
	Journal   event.Journal
	Settings  func(market.ID) Settings
}

// Service keeps the robots. It holds no state of its own, so that any number
// of them can work on the same stores. Every command may be repeated: it then
// finds its own effect and succeeds.
type Service struct{ Deps }

// NewService returns a service on d. It panics if something is missing from d.
func NewService(d Deps) *Service {
	if d.Store == nil || d.Telemetry == nil || d.Accounts == nil || d.Link == nil ||
		d.Clock == nil || d.Timers == nil || d.Journal == nil || d.Settings == nil {
		panic("fleet: NewService: a field of Deps is nil; want all of them set")
	}
	return &Service{d}
}

// maxTries is how often a command decides again when others write the same robot.
const maxTries = 8

// Robot returns the robot, or a fault.NotFound error.
func (s *Service) Robot(ctx context.Context, id RobotID) (Robot, error) {
	return s.Store.Robot(ctx, id)
}

// Robots returns all robots of a market ordered by ID.
func (s *Service) Robots(ctx context.Context, m market.ID) ([]Robot, error) {
	return s.Store.Robots(ctx, m)
}

// Docks returns the docks of a market ordered by ID.
func (s *Service) Docks(ctx context.Context, m market.ID) ([]Dock, error) {
	return s.Accounts.Docks(ctx, m)
}

// Candidates returns all robots of the market with their last telemetry, ordered by ID.
func (s *Service) Candidates(ctx context.Context, m market.ID) ([]Candidate, error) {
	robots, err := s.Store.Robots(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("candidates of %s: %w", m, err)
	}
	heard, err := s.Telemetry.AllTelemetry(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("candidates of %s: %w", m, err)
	}
	all := make([]Candidate, len(robots))
	for i := range robots {
		for len(heard) > 0 && heard[0].Robot < robots[i].ID {
			heard = heard[1:]
		}
		all[i].Robot = robots[i]
		if len(heard) > 0 && heard[0].Robot == robots[i].ID {
			all[i].Telemetry = heard[0]
		}
	}
	return all, nil
}

// lastHeard returns the last telemetry of a robot, or its zero value if there is none.
func (s *Service) lastHeard(ctx context.Context, id RobotID) (Telemetry, error) {
	t, err := s.Telemetry.Telemetry(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return Telemetry{Robot: id}, nil
	}
	return t, err
}

// change loads a robot, lets decide change it, saves it, and tells the journal.
// Where another writer was faster it decides again; where the answer of the
// write was lost it looks whether the write happened.
func (s *Service) change(ctx context.Context, id RobotID, now clock.Time, decide func(d *draft) error) error {
	for range maxTries {
		r, err := s.Store.Robot(ctx, id)
		if err != nil {
			return err
		}
		seen, err := s.lastHeard(ctx, id)
		if err != nil {
			return err
		}
		d := draft{Robot: r, now: now, seen: seen}
		if err := decide(&d); err != nil {
			return err
		}
		if same(d.Robot, r) {
			return nil
		}
		done, err := s.save(ctx, &d)
		if done || err != nil {
			return err
		}
	}
	return contended(id)
}

func contended(id RobotID) error {
	return fault.New("fleet.change", fault.Unavailable, "contended", "robot %s was changed by others %d times in a row; try again", id, maxTries)
}

// save writes d. It reports false where d must be decided again.
func (s *Service) save(ctx context.Context, d *draft) (done bool, err error) {
	revision, err := s.Store.SaveRobot(ctx, d.Robot)
	switch {
	case err == nil:
	case fault.Is(err, fault.Conflict):
		return false, nil
	case fault.Is(err, fault.Unavailable):
		stored, again := s.Store.Robot(ctx, d.ID)
		if again != nil {
			return false, err // the caller repeats the command, which finds out
		}
		if !same(stored, d.Robot) {
			return false, nil
		}
		revision = stored.Revision
	default:
		return false, err
	}
	d.Revision = revision
	for _, n := range d.notes {
		s.Journal.Append(ctx, event.New(d.now, string(d.Market), n.kind, string(d.ID), revision, n.data))
	}
	return true, nil
}

// same reports whether a and b differ at most in their revision.
func same(a, b Robot) bool {
	if a.Reservation != nil && b.Reservation != nil && *a.Reservation == *b.Reservation {
		a.Reservation, b.Reservation = nil, nil
	}
	a.Revision = b.Revision
	return a == b
}
