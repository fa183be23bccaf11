package porttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// Reservations tests that dispatchers who share what open returns never give a
// robot two jobs, though they work at the same time, stop between reading and
// writing for as long as others need to overtake them, come back with old tokens, and lose answers. Each
// works through a fleet.Service of its own. What they were told is recorded,
// and must be what a single fenced lock for each robot could have told them: see lock.
func Reservations(t *testing.T, open func(t *testing.T) fleet.Store) {
	t.Helper()
	const dispatchers, robots, commands = 5, 3, 40
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	y := &yard{store: open(t), dispatchers: dispatchers}
	y.clock.Store(int64(fake.Start))
	for n := range robots {
		r := SampleRobot(fleet.RobotID(fmt.Sprintf("r%d", n)), "m")
		r.State, r.Reservation, r.LastToken = fleet.Available, nil, 0
		saveRobot(t, y.store, r)
		y.robots = append(y.robots, r.ID)
	}
	var wg sync.WaitGroup
	y.working.Store(dispatchers)
	for n := range dispatchers {
		wg.Go(func() {
			defer y.working.Add(-1)
			d := newDispatcher(y, n, rand.New(rand.NewPCG(seed, uint64(n))))
			for range commands {
				d.command(t)
			}
		})
	}
	wg.Wait()
	y.check(t)
}

// yard is what dispatchers share.
type yard struct {
	store       fleet.Store
	dispatchers int
	robots      []fleet.RobotID
	clock       atomic.Int64
	steps       atomic.Int64 // orders calls and returns
	working     atomic.Int64 // dispatchers that are not done
	pausing     sync.Mutex   // held by the one who pauses: if all did nobody would overtake

	mu      sync.Mutex
	history []porcupine.Operation
	client  int
}

// claim is a command to Fleet.
type claim struct {
	robot           fleet.RobotID
	verb            string // reserve, renew, release, command
	holder, attempt string
	token           uint64
	now, until      clock.Time
}

// answer is what the dispatcher was told.
type answer struct {
	verdict string // done, refused, or unknown if the answer was lost
	token   uint64
}

// unless returns what an error makes of an answer, or the error if no lock answers so.
func (a answer) unless(err error) (answer, error) {
	switch {
	case err == nil:
		return a, nil
	case fault.Is(err, fault.Unavailable):
		return answer{verdict: "unknown"}, nil
	case fault.Is(err, fault.Conflict):
		return answer{verdict: "refused"}, nil
	}
	return answer{}, err
}

// forever is when a command returns whose answer was lost: it may have its effect at any time.
const forever = 1 << 62

// record notes a command. For each write within it whose answer was lost, and
// after which the service decided again, it notes a command that may or may not have been done: it
// may have been, and undone by others before the service looked.
func (y *yard) record(in claim, call int64, out answer, lost int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	end := y.steps.Add(1)
	for range lost {
		y.note(in, call, answer{verdict: "unknown"}, end)
	}
	if out.verdict == "unknown" {
		end = forever
	}
	y.note(in, call, out, end)
}

func (y *yard) note(in claim, call int64, out answer, end int64) {
	y.client++ // each is a client of its own, since lost ones go on beside what follows
	y.history = append(y.history, porcupine.Operation{ClientId: y.client, Input: in, Call: call, Output: out, Return: end})
}

// check looks for an order of the commands in which a lock could have given
// their answers, and fails the test if there is none.
func (y *yard) check(t *testing.T) {
	t.Helper()
	count := map[string]int{}
	for _, o := range y.history {
		count[o.Input.(claim).verb+" "+o.Output.(answer).verdict]++
	}
	t.Logf("commands: %v", count)
	for _, what := range []string{"reserve done", "reserve refused", "reserve unknown", "renew refused", "release done"} {
		if count[what] == 0 {
			t.Errorf("nothing was tried of %q: the history shows little", what)
		}
	}
	for _, robot := range y.robots {
		var own []porcupine.Operation
		for _, o := range y.history {
			if o.Input.(claim).robot == robot {
				own = append(own, o)
			}
		}
		switch porcupine.CheckOperationsTimeout(fencedLock(), own, time.Minute) {
		case porcupine.Illegal:
			t.Errorf("robot %s: no lock could have answered so:\n%s", robot, story(own))
		case porcupine.Unknown:
			t.Errorf("robot %s: whether a lock could have answered so was not found out within a minute:\n%s", robot, story(own))
		}
	}
}

func story(history []porcupine.Operation) string {
	var b strings.Builder
	for _, o := range history {
		in, out := o.Input.(claim), o.Output.(answer)
		fmt.Fprintf(&b, "%4d–%-4d %s %s %s token %d now +%dms until +%dms: %s, token %d\n",
			o.Call, o.Return, in.verb, in.holder, in.attempt, in.token, in.now-fake.Start, in.until-fake.Start, out.verdict, out.token)
	}
	return b.String()
}

// lock is the model of a robot's reservation.
type lock struct {
	last            uint64 // highest token given out
	held            bool
	holder, attempt string
	expires         clock.Time
}

// fencedLock is the specification: each new reservation has the next token;
// while one holds and has not expired only its holder gets another; a repeat of an attempt
// gets the same token; tokens other than the last do nothing, and orders to the robot need one
// that holds.
func fencedLock() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{lock{}} },
		Step: func(state, input, output any) []any {
			before, in, out := state.(lock), input.(claim), output.(answer)
			after, want := before.step(in)
			switch {
			case out.verdict == "unknown" && after != before:
				return []any{before, after}
			case out.verdict == "unknown":
				return []any{before}
			case out != want:
				return nil
			}
			return []any{after}
		},
		Equal: func(a, b any) bool { return a.(lock) == b.(lock) },
	}
	return model.ToModel()
}

// step returns the lock after a command, and what it answers.
func (l lock) step(in claim) (lock, answer) {
	current := l.held && in.token == l.last
	switch in.verb {
	case "release":
		if current {
			l.held, l.holder, l.attempt, l.expires = false, "", "", 0
		}
		return l, answer{verdict: "done"}
	case "renew":
		if !current {
			return l, answer{verdict: "refused"}
		}
		l.expires = max(l.expires, in.until)
		return l, answer{verdict: "done"}
	case "command":
		if !current || in.now >= l.expires {
			return l, answer{verdict: "refused"}
		}
		return l, answer{verdict: "done"}
	}
	switch {
	case l.held && l.holder == in.holder && l.attempt == in.attempt:
		l.expires = max(l.expires, in.until)
	case l.held && l.holder != in.holder && in.now < l.expires:
		return l, answer{verdict: "refused"}
	default:
		l = lock{last: l.last + 1, held: true, holder: in.holder, attempt: in.attempt, expires: in.until}
	}
	return l, answer{verdict: "done", token: l.last}
}

// dispatcher is one of those who share the robots.
type dispatcher struct {
	*yard
	name   int
	rand   *rand.Rand
	clock  *fake.Clock
	store  *haltingStore
	fleet  *fleet.Service
	memory map[fleet.RobotID]claim // the last reservation it asked for, with its token once it is told
	asked  int
}

func newDispatcher(y *yard, name int, r *rand.Rand) *dispatcher {
	d := &dispatcher{yard: y, name: name, rand: r, clock: fake.NewClock(fake.Start), memory: map[fleet.RobotID]claim{}}
	d.store = &haltingStore{Store: y.store, dispatcher: d}
	d.fleet = fleet.NewService(fleet.Deps{
		Store: d.store, Telemetry: silence{}, Accounts: silence{}, Link: &fake.Link{},
		Clock: d.clock, Timers: &fake.Timers{}, Journal: &fake.Journal{},
		Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	})
	return d
}

// command gives one command, and records what came of it.
func (d *dispatcher) command(t *testing.T) {
	now := clock.Time(d.yard.clock.Add(d.rand.Int64N(1500)))
	d.clock.Set(max(now, d.clock.Now()))
	in := d.choose(d.clock.Now())
	d.store.lost = 0
	call := d.steps.Add(1)
	out := answer{verdict: "done"}
	var err error
	switch in.verb {
	case "reserve":
		out.token, err = d.fleet.Reserve(t.Context(), fleet.ReserveRequest{Robot: in.robot, Holder: in.holder, Attempt: in.attempt, Until: in.until})
	case "renew":
		err = d.fleet.Renew(t.Context(), in.robot, in.token, in.until)
	case "release":
		err = d.fleet.Release(t.Context(), in.robot, in.token)
	}
	if out, err = out.unless(err); err != nil {
		t.Errorf("%+v: %v", in, err)
	}
	d.record(in, call, out, d.store.lost)
	if in.verb == "reserve" && out.verdict == "done" {
		in.token = out.token
		d.memory[in.robot] = in
	}
}

// choose returns a command: a new reservation, a repeat of one, a sign of life, or the end.
func (d *dispatcher) choose(now clock.Time) claim {
	in := claim{robot: d.robots[d.rand.IntN(len(d.robots))], now: now, until: now.Add(clock.Duration(2000 + d.rand.Int64N(6000)))}
	mine, known := d.memory[in.robot]
	kind := d.rand.IntN(10)
	switch {
	case known && kind < 2:
		in.verb, in.token = "release", mine.token
	case known && kind < 5:
		in.verb, in.token = "renew", mine.token
	case known && kind < 6:
		in.verb, in.holder, in.attempt = "reserve", mine.holder, mine.attempt
	default:
		d.asked++
		in.verb, in.holder, in.attempt = "reserve", fmt.Sprintf("delivery/d%d", d.name), fmt.Sprintf("d%d.%d", d.name, d.asked)
	}
	return in
}

// haltingStore is a dispatcher's view of the store: it stops before a write until
// others have overtaken it, and loses answers.
type haltingStore struct {
	fleet.Store
	dispatcher *dispatcher
	deaf       bool // the next read is lost too, so that the service cannot find out
	lost       int  // writes of this command whose answers were lost
}

// Robot implements fleet.Store.
func (s *haltingStore) Robot(ctx context.Context, id fleet.RobotID) (fleet.Robot, error) {
	if s.deaf {
		s.deaf = false
		return fleet.Robot{}, fault.New("porttest.Robot", fault.Unavailable, "lost", "no answer")
	}
	return s.Store.Robot(ctx, id)
}

// SaveRobot implements fleet.Store.
func (s *haltingStore) SaveRobot(ctx context.Context, r fleet.Robot) (uint64, error) {
	d := s.dispatcher
	if d.rand.IntN(3) == 0 {
		d.halt()
	}
	kind := d.rand.IntN(100)
	if kind >= 5 { // below, it is lost before its effect
		revision, err := s.Store.SaveRobot(ctx, r)
		if kind >= 20 || err != nil {
			if fault.Is(err, fault.Unavailable) {
				s.lost++
			}
			return revision, err
		}
	}
	s.deaf = kind < 10
	s.lost++
	return 0, fault.New("porttest.SaveRobot", fault.Unavailable, "lost", "no answer")
}

// halt waits until others have done a few commands.
func (d *dispatcher) halt() {
	if !d.pausing.TryLock() {
		return
	}
	defer d.pausing.Unlock()
	for until := d.steps.Load() + 8; d.steps.Load() < until && d.working.Load() > 1; {
		time.Sleep(50 * time.Microsecond)
	}
}

// silence is the telemetry and the accounts of a fleet that has none.
type silence struct{ fleet.AccountStore }

func (silence) SaveTelemetry(context.Context, market.ID, fleet.Telemetry) (bool, error) {
	return true, nil
}

func (silence) Telemetry(_ context.Context, id fleet.RobotID) (fleet.Telemetry, error) {
	return fleet.Telemetry{}, fault.New("porttest.Telemetry", fault.NotFound, "", "robot %s never reported", id)
}

func (silence) AllTelemetry(context.Context, market.ID) ([]fleet.Telemetry, error) { return nil, nil }
