package stores_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"footway/adapters/backends"
	"footway/adapters/dynamo"
	"footway/adapters/wallclock"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

const (
	dispatchers = 3
	longestHold = 500 * clock.Millisecond
	longPause   = 650 * time.Millisecond // above longestHold: whoever pauses wakes without its reservation
)

// TestDispatchersNeverShareARobot: three dispatchers claim the same few robots over connections
// that are slow, break and go silent, and stop between deciding and writing, or between
// deciding and telling the robot, until their reservation is another's. What they were told must be
// what one fenced lock for each robot could have told them, and no robot follows an old token.
func TestDispatchersNeverShareARobot(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	seed := chaosSeed(t)
	length := chaosTime(t, 12*time.Second)
	server := backends.Own(t, backends.DynamoDB)
	direct := tables(t, server.URL())
	if err := direct.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	y := &yard{t: t, robots: []fleet.RobotID{"r0", "r1"}, seen: map[fleet.RobotID][]uint64{}, owner: map[string]int{}}
	y.claims = porttest.NewClaims(y.robots...)
	for _, id := range y.robots {
		r := porttest.SampleRobot(id, "m")
		r.State, r.Reservation, r.LastToken = fleet.Available, nil, 0
		if _, err := dynamo.NewFleetStore(direct).SaveRobot(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	s := newStorm(seed, length)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	for n := range dispatchers {
		link := backends.Proxy(t, server.URL())
		s.disturb(link)
		d := y.dispatcher(n, rand.New(rand.NewPCG(seed, 10+uint64(n))), tables(t, link.URL()))
		wg.Go(func() { d.work(ctx) })
	}
	s.rage(ctx)
	wg.Wait()
	y.claims.Check(t)
	t.Logf("robots followed %d orders under %d tokens, and refused %d with an old one", y.followed, len(y.owner), y.refused)
	if y.followed == 0 || y.refused == 0 {
		t.Error("too little happened for this to have shown anything")
	}
}

// tables returns the tables at an address, with little patience.
func tables(t *testing.T, address string) *dynamo.DB {
	t.Helper()
	db, err := dynamo.Open(t.Context(), dynamo.Options{
		Endpoint: address, Region: "us-east-1", Prefix: "chaos-",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
		Timeouts: dynamo.Timeouts{Dial: 400 * time.Millisecond, Header: 500 * time.Millisecond, Attempt: 600 * time.Millisecond, Call: 1200 * time.Millisecond},
		Retries:  dynamo.Retries{MaxBackoff: 50 * time.Millisecond, Budget: 1_000_000},
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// yard is where the robots are.
type yard struct {
	t       *testing.T
	robots  []fleet.RobotID
	claims  *porttest.Claims
	pausing sync.Mutex // held by the one who pauses, so that others overtake it

	mu                sync.Mutex
	seen              map[fleet.RobotID][]uint64 // tokens of orders that were followed
	owner             map[string]int             // whose a robot's token was when the robot followed it
	followed, refused int
}

func (y *yard) highest(robot fleet.RobotID) uint64 {
	y.mu.Lock()
	defer y.mu.Unlock()
	if n := len(y.seen[robot]); n > 0 {
		return y.seen[robot][n-1]
	}
	return 0
}

// order reaches a robot, which follows it unless it has seen a higher token.
func (y *yard) order(from int, o fleet.Order) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if n := len(y.seen[o.Robot]); n > 0 && o.Token < y.seen[o.Robot][n-1] {
		y.refused++
		return fault.New("yard", fault.Conflict, "old_token", "robot %s follows a higher token", o.Robot)
	}
	k := fmt.Sprintf("%s/%d", o.Robot, o.Token)
	if whose, known := y.owner[k]; known && whose != from {
		y.t.Errorf("robot %s: dispatchers %d and %d both have token %d", o.Robot, whose, from, o.Token)
	}
	y.owner[k] = from
	y.seen[o.Robot] = append(y.seen[o.Robot], o.Token)
	y.followed++
	return nil
}

// dispatcher is one process. It stops at times, as a process does that is paged out.
type dispatcher struct {
	*yard
	fleet.Store
	name   int
	rand   *rand.Rand
	clock  *fake.Clock
	fleet  *fleet.Service
	memory map[fleet.RobotID]porttest.Claim // its last reservations
	asked  int
	lost   int // writes without an answer in this call
}

func (y *yard) dispatcher(n int, r *rand.Rand, db *dynamo.DB) *dispatcher {
	d := &dispatcher{yard: y, Store: dynamo.NewFleetStore(db), name: n, rand: r, clock: fake.NewClock(wallclock.Clock{}.Now()), memory: map[fleet.RobotID]porttest.Claim{}}
	d.fleet = fleet.NewService(fleet.Deps{
		Store: d, Telemetry: dynamo.NewTelemetryStore(db), Accounts: dynamo.NewAccountStore(db), Link: d,
		Clock: d.clock, Timers: noTimers{}, Journal: &fake.Journal{},
		Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	})
	return d
}

// work gives commands until ctx ends. The last one may finish.
func (d *dispatcher) work(ctx context.Context) {
	for ctx.Err() == nil {
		d.clock.Set(max(wallclock.Clock{}.Now(), d.clock.Now()))
		answered := d.command(d.choose(d.clock.Now()))
		pause(ctx, time.Duration(d.rand.Int64N(int64(30*time.Millisecond))))
		if !answered { // each may have been done at any later time, so many would make the history hard to judge
			pause(ctx, 300*time.Millisecond)
		}
	}
}

// choose returns a reservation, a repeat of one, a sign of life, an order to the robot, or the end.
func (d *dispatcher) choose(now clock.Time) porttest.Claim {
	q := porttest.Claim{Robot: d.robots[d.rand.IntN(len(d.robots))], Now: now, Until: now.Add(50 + clock.Duration(d.rand.Int64N(int64(longestHold-50))))}
	mine, known := d.memory[q.Robot]
	kind := d.rand.IntN(10)
	switch {
	case known && kind < 1:
		q.Verb, q.Token = "release", mine.Token
	case known && kind < 2:
		q.Verb, q.Token = "renew", mine.Token
	case known && kind < 5:
		q.Verb, q.Token = "command", mine.Token
	case known && kind < 6:
		q.Verb, q.Holder, q.Attempt = "reserve", mine.Holder, mine.Attempt
	default:
		d.asked++
		q.Verb, q.Holder, q.Attempt = "reserve", fmt.Sprintf("delivery/d%d", d.name), fmt.Sprintf("d%d.%d", d.name, d.asked)
	}
	return q
}

// command gives a command, and reports whether it was answered.
func (d *dispatcher) command(q porttest.Claim) bool {
	ctx := context.Background() // every call has an end of its own
	token, err := d.claims.Made(d.t, q, func() (token uint64, lost int, err error) {
		d.lost = 0
		switch q.Verb {
		case "reserve":
			token, err = d.fleet.Reserve(ctx, fleet.ReserveRequest{Robot: q.Robot, Holder: q.Holder, Attempt: q.Attempt, Until: q.Until})
		case "renew":
			err = d.fleet.Renew(ctx, q.Robot, q.Token, q.Until)
		case "release":
			err = d.fleet.Release(ctx, q.Robot, q.Token)
		case "command":
			err = d.fleet.Command(ctx, fleet.Order{Robot: q.Robot, Token: q.Token, Kind: fleet.OrderHold})
		}
		return token, d.lost, err
	})
	if q.Verb == "reserve" && err == nil {
		q.Token = token
		d.memory[q.Robot] = q
	}
	return !fault.Is(err, fault.Unavailable)
}

// SaveRobot implements fleet.Store.
func (d *dispatcher) SaveRobot(ctx context.Context, r fleet.Robot) (uint64, error) {
	if d.rand.IntN(8) == 0 {
		d.stop(longPause, func() bool { return false })
	}
	revision, err := d.Store.SaveRobot(ctx, r)
	if fault.Is(err, fault.Unavailable) {
		d.lost++
	}
	return revision, err
}

// Command implements fleet.Link.
func (d *dispatcher) Command(_ context.Context, o fleet.Order) error {
	if d.rand.IntN(3) == 0 {
		d.stop(2*longPause, func() bool { return d.highest(o.Robot) > o.Token })
	}
	return d.order(d.name, o)
}

// stop is a process that is not run for a while, or until enough has happened.
func (d *dispatcher) stop(while time.Duration, enough func() bool) {
	if !d.pausing.TryLock() {
		return
	}
	defer d.pausing.Unlock()
	eventually(context.Background(), while, enough)
}
