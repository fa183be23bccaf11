package integration

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// Claimed is the reason when somebody else sends to an endpoint.
const Claimed = "claimed"

// PostDeps are what a Post works with; all but Names are required.
type PostDeps struct {
	Lines     LineStore
	Ends      EndStore
	Log       Log
	Recent    LogReader
	Endpoints *Registry
	Clock     clock.Clock
	// Name returns what an update is called in an endpoint's list of events, in Drive's words.
	Name func(*delivery.Update) string
	// Names is Name in the other dialects: "" is the name of what they tell nobody of.
	Names map[Dialect]func(*delivery.Update) string
}

// name returns what an update is called in the words of an endpoint.
func (d *PostDeps) name(e *Endpoint, u *delivery.Update) string {
	if name, ok := d.Names[e.Dialect]; ok {
		return name(u)
	}
	return d.Name(u)
}

// Post tells endpoints what happened to their partners' deliveries. It calls
// nobody itself: whoever opens a Round sends what is due and says what came of it.
type Post struct {
	PostDeps
	rules Rules
}

// NewPost returns a post. Rules that cannot work are a fault.Invalid.
func NewPost(d PostDeps, r Rules) (*Post, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	return &Post{d, r}, nil
}

// Round is somebody's turn at sending to one endpoint. It is not safe for
// concurrent use. Once one of its methods fails it is of no use any more: whatever was not saved is
// sent again by whoever opens the next.
type Round struct {
	post     *Post
	endpoint Endpoint
	line     Line
	flying   map[uint64]bool            // under way
	entries  map[uint64]delivery.Update // of what waits, as far as known
	settled  bool                       // there are results that are not saved
	ends     []End                      // not saved
	end      bool                       // nothing more was in the log when it was last read
}

// Open begins a turn at an endpoint. It fails with fault.Conflict, reason
// Claimed, while somebody else has it. owner is the caller, under a name that it uses but once.
func (p *Post) Open(ctx context.Context, e Endpoint, owner string) (*Round, error) {
	l, err := p.line(ctx, e)
	if err != nil {
		return nil, err
	}
	if l.Owner != owner && l.Owner != "" && p.Clock.Now() < l.Until {
		return nil, fault.New("integration.Open", fault.Conflict, Claimed, "endpoint %s is %s's until %s", e.ID, l.Owner, l.Until)
	}
	l.Owner = owner
	r := &Round{post: p, endpoint: e, line: l, flying: map[uint64]bool{}, entries: map[uint64]delivery.Update{}}
	return r, r.Save(ctx)
}

// Endpoint returns the endpoint that the round is at.
func (r *Round) Endpoint() Endpoint { return r.endpoint }

// Save writes what the round knows, and claims the endpoint for longer. fault.Conflict
// means that the endpoint is another's, or was wound back: the round is over.
func (r *Round) Save(ctx context.Context) error {
	r.line.Until = r.post.Clock.Now().Add(r.post.rules.Claim)
	return r.save(ctx)
}

func (r *Round) save(ctx context.Context) error {
	revision, err := r.post.Lines.SaveLine(ctx, r.line, r.ends...)
	if err != nil {
		return fmt.Errorf("save the line of endpoint %s: %w", r.line.Endpoint, err)
	}
	r.line.Revision, r.settled, r.ends = revision, false, nil
	return nil
}

// Close ends the turn, so that another need not wait for the claim to run out.
func (r *Round) Close(ctx context.Context) error {
	r.line.Owner, r.line.Until = "", 0
	return r.save(ctx)
}

// News says that the log may have more than was read.
func (r *Round) News() { r.end = false }

// fill reads on in the partner's log as far as there is room.
func (r *Round) fill(ctx context.Context) error {
	room := min(r.post.rules.Window-len(r.line.Waiting), 4*r.post.rules.InFlight)
	entries, err := r.post.Log.Entries(ctx, r.line.Partner, r.line.Read, room)
	if err != nil {
		return fmt.Errorf("log of %s: %w", r.line.Partner, err)
	}
	now := r.post.Clock.Now()
	for _, e := range entries {
		r.line.Read = e.Position
		if r.endpoint.Wants(&e.Update, r.post.name(&r.endpoint, &e.Update)) {
			r.line.Waiting = append(r.line.Waiting, Parcel{Position: e.Position, Delivery: e.Delivery, Sequence: e.Sequence, Since: now})
			r.entries[e.Position] = e.Update
		}
	}
	r.end = len(entries) < room
	return nil
}

// ready returns parcels to be sent now, and reads on while there are too few.
func (r *Round) ready(ctx context.Context, now clock.Time, room int) ([]Parcel, error) {
	for {
		due := r.line.due(now, r.flying, room)
		if r.end || r.line.OpenUntil != 0 || len(due) >= room || len(r.line.Waiting) >= r.post.rules.Window {
			return due, nil
		}
		if err := r.fill(ctx); err != nil {
			return nil, err
		}
	}
}

// Due returns what is to be sent now, at most most, and takes it as under way until Settle. It
// saves results first: an update goes out only when it is certain that nobody will send
// the one before it again.
func (r *Round) Due(ctx context.Context, most int) ([]Entry, error) {
	now := r.post.Clock.Now()
	if dead := r.line.bury(now, r.flying, r.post.rules); len(dead) > 0 {
		r.ends, r.settled = append(r.ends, dead...), true
	}
	if r.settled || r.line.Until.Sub(now) < 2*MaxAttempt {
		if err := r.Save(ctx); err != nil {
			return nil, err
		}
	}
	due, err := r.ready(ctx, now, min(most, r.Room()))
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, p := range due {
		u, known, err := r.update(ctx, p)
		if err != nil {
			return nil, err
		}
		if !known {
			r.lose(p, now)
			continue
		}
		r.flying[p.Position] = true
		all = append(all, Entry{p.Position, u})
	}
	return all, nil
}

// update returns what a parcel tells, and whether the log still has it.
func (r *Round) update(ctx context.Context, p Parcel) (delivery.Update, bool, error) {
	if u, ok := r.entries[p.Position]; ok {
		return u, true, nil
	}
	// A round that begins with much that waits reads it a page at a time.
	entries, err := r.post.Log.Entries(ctx, r.line.Partner, p.Position-1, pageSize)
	if err != nil {
		return delivery.Update{}, false, fmt.Errorf("log of %s: %w", r.line.Partner, err)
	}
	for _, e := range entries {
		if _, waits := r.line.find(e.Position); waits {
			r.entries[e.Position] = e.Update
		}
	}
	u, ok := r.entries[p.Position]
	return u, ok, nil
}

// lose gives up what the log has forgotten.
func (r *Round) lose(p Parcel, now clock.Time) {
	if i, there := r.line.find(p.Position); there {
		r.line.Waiting = append(r.line.Waiting[:i], r.line.Waiting[i+1:]...)
		r.ends, r.settled = append(r.ends, r.line.end(p, now, "the log has forgotten it")), true
	}
}

// Settle says what came of an attempt. An endpoint that does not exist any more
// gets no further ones, until its partner wants it again.
func (r *Round) Settle(ctx context.Context, position uint64, o Outcome) error {
	delete(r.flying, position)
	ended := r.line.settle(position, o, r.post.Clock.Now(), r.post.rules)
	r.ends, r.settled = append(r.ends, ended...), true
	if _, waits := r.line.find(position); !waits {
		delete(r.entries, position)
	}
	if o.Verdict != Closed {
		return nil
	}
	e, err := r.post.Endpoints.SetEndpoint(ctx, r.endpoint.Owner(), r.endpoint.ID, Gone)
	if err != nil {
		return fmt.Errorf("endpoint %s is gone: %w", r.endpoint.ID, err)
	}
	r.endpoint = e
	return nil
}

// Room returns how many more may be under way.
func (r *Round) Room() int { return r.post.rules.InFlight - len(r.flying) }

// Wake returns when there will be something to send without news or results; 0 is never.
func (r *Round) Wake() clock.Time {
	if r.Room() == 0 || r.line.OpenUntil != 0 && len(r.flying) > 0 {
		return 0
	}
	return r.line.wake(r.flying)
}

// Waiting returns how many wait, since when the first one does, and whether the breaker is open.
func (r *Round) Waiting() (n int, since clock.Time, open bool) {
	if len(r.line.Waiting) > 0 {
		since = r.line.Waiting[0].Since
	}
	return len(r.line.Waiting), since, r.line.OpenUntil != 0
}
