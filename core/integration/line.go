package integration

import (
	"cmp"
	"context"
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
)

// Line is what waits to be told to one endpoint, and how that goes. Each
// delivery's webhooks go out in order, one at a time; those of other deliveries
// do not wait for it. What failed for too long becomes a dead letter, and the delivery's next one
// goes out: its sequence shows the partner that one is missing.
type Line struct {
	Endpoint string             `json:"endpoint"`
	Partner  delivery.PartnerID `json:"partner"`
	// Owner is who sends, until Until; nobody else does meanwhile.
	Owner string     `json:"owner,omitempty"`
	Until clock.Time `json:"until"`
	// Read is the position up to which the partner's log was read: what is there
	// was told, was not wanted, is a dead letter, or waits.
	Read    uint64   `json:"read"`
	Waiting []Parcel `json:"waiting,omitempty"` // by position
	// The breaker: failures in a row, how often it has opened in a row, and until when it is
	// open: 0 if it is closed; after OpenUntil one attempt decides.
	Failures  int        `json:"failures,omitempty"`
	Opened    int        `json:"opened,omitempty"`
	OpenUntil clock.Time `json:"open_until"`
	Revision  uint64     `json:"revision"`
}

// Parcel is one webhook that waits.
type Parcel struct {
	Position uint64      `json:"position"`
	Delivery delivery.ID `json:"delivery"`
	Sequence uint64      `json:"sequence"`
	Since    clock.Time  `json:"since"` // when it was read
	Attempts int         `json:"attempts,omitempty"`
	First    clock.Time  `json:"first"` // when the first attempt failed; 0 if none did
	Next     clock.Time  `json:"next"`  // not before
	Cause    string      `json:"cause,omitempty"`
}

// End is how a webhook came to its end: the endpoint has it, or it was given up
// and is a dead letter.
type End struct {
	Endpoint string             `json:"endpoint"`
	Position uint64             `json:"position"`
	Partner  delivery.PartnerID `json:"partner"`
	Delivery delivery.ID        `json:"delivery"`
	Sequence uint64             `json:"sequence"`
	At       clock.Time         `json:"at"`
	Attempts int                `json:"attempts"`
	Told     bool               `json:"told,omitempty"`
	Cause    string             `json:"cause"` // how the last attempt went, without what the endpoint said
}

// EndQuery says which ends of an endpoint are wanted.
type EndQuery struct {
	Endpoint string
	From     uint64 // the lowest position
	Below    uint64 // positions below this one; 0 is no bound
	GivenUp  bool   // dead letters only
	Limit    int
}

// EndStore keeps ends, which a LineStore has written.
type EndStore interface {
	// Ends returns ends of an endpoint, the highest position first.
	Ends(ctx context.Context, q EndQuery) ([]End, error)
	// TrimEnds forgets ends from before t, and returns how many.
	TrimEnds(ctx context.Context, t clock.Time) (int, error)
}

// LineStore keeps the lines of all endpoints.
type LineStore interface {
	// Line returns an endpoint's line, or a fault.NotFound error.
	Line(ctx context.Context, endpoint string) (Line, error)
	// SaveLine writes l if the stored revision is still l.Revision, 0 if there must be none, with
	// ends, all or nothing, and returns the new revision, which is higher; otherwise it writes
	// nothing and fails with fault.Conflict. An end of an endpoint and position that
	// there is already is replaced. A fault.Unavailable error leaves open whether the write happened.
	SaveLine(ctx context.Context, l Line, ends ...End) (revision uint64, err error)
	// DropLine forgets an endpoint's line and its ends. It is no error if there are none.
	DropLine(ctx context.Context, endpoint string) error
}

// Clone returns a copy of l that shares nothing with it.
func (l Line) Clone() Line {
	l.Waiting = slices.Clone(l.Waiting)
	return l
}

// Verdict is how an attempt ended.
type Verdict uint8

// The verdicts.
const (
	Taken   Verdict = iota // the endpoint has it
	Refused                // the endpoint answers, and does not take this one
	Failed                 // the endpoint does not answer, or cannot take any
	Closed                 // the endpoint says that it does not exist any more
)

// Outcome is what came of an attempt.
type Outcome struct {
	Verdict Verdict
	Cause   string         // how it went, in our words: what the endpoint says may be anything
	After   clock.Duration // which the endpoint asked to wait; 0 if it did not
}

// find returns the index of the parcel at a position.
func (l *Line) find(position uint64) (int, bool) {
	return slices.BinarySearchFunc(l.Waiting, position, func(p Parcel, at uint64) int { return cmp.Compare(p.Position, at) })
}

// halfOpen reports whether the next attempt decides about the breaker.
func (l *Line) halfOpen(now clock.Time) bool { return l.OpenUntil != 0 && now >= l.OpenUntil }

// due returns what may be sent now, at most room, in order. flying tells what is under way.
func (l *Line) due(now clock.Time, flying map[uint64]bool, room int) []Parcel {
	if l.OpenUntil != 0 && (now < l.OpenUntil || len(flying) > 0) {
		return nil
	}
	probing := l.halfOpen(now)
	var all []Parcel
	seen := make(map[delivery.ID]bool, len(l.Waiting))
	for _, p := range l.Waiting {
		if len(all) >= room && !probing {
			break
		}
		if seen[p.Delivery] {
			continue
		}
		seen[p.Delivery] = true
		if !flying[p.Position] && (probing || p.Next <= now) {
			all = append(all, p)
		}
	}
	if probing && len(all) > 1 {
		// The least tried: one that can never be taken must not decide again and again.
		least := slices.MinFunc(all, func(a, b Parcel) int {
			return cmp.Or(cmp.Compare(a.Attempts, b.Attempts), cmp.Compare(a.Position, b.Position))
		})
		all = []Parcel{least}
	}
	return all
}

// settle notes what came of an attempt, and returns how the webhook ended if it did.
func (l *Line) settle(position uint64, o Outcome, now clock.Time, r Rules) []End {
	i, there := l.find(position)
	if !there {
		return nil // somebody wound the line back meanwhile
	}
	if o.Verdict == Taken {
		end := l.end(l.Waiting[i], now, o.Cause)
		end.Attempts, end.Told = end.Attempts+1, true
		l.Waiting = slices.Delete(l.Waiting, i, i+1)
		l.close()
		return []End{end}
	}
	l.fail(i, o, now, r)
	return nil
}

// fail notes an attempt that did not tell the i-th that waits.
func (l *Line) fail(i int, o Outcome, now clock.Time, r Rules) {
	p := &l.Waiting[i]
	if p.Attempts++; p.Attempts == 1 {
		p.First = now
	}
	p.Cause = o.Cause
	p.Next = now.Add(max(r.backoff(l.Endpoint, p.Position, p.Attempts), min(o.After, r.Longest)))
	if o.Verdict == Refused {
		l.close()
		return
	}
	if l.OpenUntil != 0 && now < l.OpenUntil {
		return // of those that were under way when it opened
	}
	l.Failures++
	if l.OpenUntil != 0 || l.Failures >= r.Trips || o.After > 0 {
		l.Opened++
		l.OpenUntil = now.Add(max(r.rest(l.Endpoint, l.Opened), min(o.After, r.Longest)))
	}
}

// close lets everything go out: the endpoint answers.
func (l *Line) close() {
	if l.OpenUntil != 0 {
		for i := range l.Waiting {
			l.Waiting[i].Next = 0
		}
	}
	l.Failures, l.Opened, l.OpenUntil = 0, 0, 0
}

// bury takes out what was tried for too long. What was never tried stays, however
// long its endpoint has not answered: behind it the log waits as well.
func (l *Line) bury(now clock.Time, flying map[uint64]bool, r Rules) []End {
	var dead []End
	l.Waiting = slices.DeleteFunc(l.Waiting, func(p Parcel) bool {
		if p.Attempts == 0 || now.Sub(p.First) <= r.MaxAge || flying[p.Position] {
			return false
		}
		dead = append(dead, l.end(p, now, p.Cause))
		return true
	})
	return dead
}

func (l *Line) end(p Parcel, now clock.Time, cause string) End {
	return End{Endpoint: l.Endpoint, Position: p.Position, Partner: l.Partner, Delivery: p.Delivery, Sequence: p.Sequence, At: now, Attempts: p.Attempts, Cause: cause}
}

// wake returns when something can be sent that cannot now; 0 if only news changes that.
func (l *Line) wake(flying map[uint64]bool) clock.Time {
	if l.OpenUntil != 0 && len(l.Waiting) > 0 {
		return l.OpenUntil
	}
	var first clock.Time
	seen := make(map[delivery.ID]bool, len(l.Waiting))
	for _, p := range l.Waiting {
		if !seen[p.Delivery] && !flying[p.Position] && (first == 0 || p.Next < first) {
			first = max(p.Next, 1)
		}
		seen[p.Delivery] = true
	}
	return first
}
