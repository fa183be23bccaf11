package integration

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
)

// Fate is how it stands with telling an endpoint of an entry.
type Fate string

// The fates.
const (
	Waits   Fate = "waiting" // for its turn, or to be tried again
	Told    Fate = "told"
	GivenUp Fate = "given_up"
)

// Notice is an entry as one endpoint is told of it. If the log has forgotten the
// entry, only its position, delivery and sequence are known.
type Notice struct {
	Entry
	Name     string // "" if the entry is forgotten
	Fate     Fate
	Ended    clock.Time // when it was told or given up; 0 if that was not kept
	Attempts int
	Next     clock.Time // of one that was tried and waits: not before
	Answer   string     // how the last attempt went, in our words; "" if there was none
}

// HistoryQuery says which notices are wanted.
type HistoryQuery struct {
	Below  uint64 // position; 0 is no bound
	Failed bool   // only those that were tried, and not told
	Limit  int
}

// maxLook bounds how many entries are looked at for one page of a history.
const maxLook = 1000

// History returns what an endpoint is told, the newest first, and below which
// position to go on: 0 if there is no more. A page may have fewer than the limit.
func (p *Post) History(ctx context.Context, o Owner, endpoint string, q HistoryQuery) ([]Notice, uint64, error) {
	e, err := p.Endpoints.OwnEndpoint(ctx, o, endpoint)
	if err != nil {
		return nil, 0, err
	}
	l, err := p.line(ctx, e) // before the ends: what is settled meanwhile is seen as waiting, not as nothing
	if err != nil {
		return nil, 0, err
	}
	q.Limit = min(max(q.Limit, 1), pageSize)
	if q.Failed {
		return p.failed(ctx, e, l, q)
	}
	all, next, err := p.recent(ctx, e, q)
	if err != nil || len(all) == 0 {
		return nil, next, err
	}
	ends, err := p.Ends.Ends(ctx, EndQuery{Endpoint: e.ID, From: all[len(all)-1].Position, Below: all[0].Position + 1, Limit: len(all)})
	if err != nil {
		return nil, 0, fmt.Errorf("ends of endpoint %s: %w", e.ID, err)
	}
	fates(all, &l, ends)
	return all, next, nil
}

// recent returns the newest entries of which an endpoint is told, without their fates.
func (p *Post) recent(ctx context.Context, e Endpoint, q HistoryQuery) (all []Notice, next uint64, err error) {
	below := q.Below
	for range maxLook / pageSize {
		page, err := p.Recent.Newest(ctx, e.Owner(), below, pageSize)
		if err != nil {
			return nil, 0, fmt.Errorf("log of %s: %w", e.Partner, err)
		}
		for i := range page {
			if page[i].Position <= e.From {
				return all, 0, nil
			}
			below = page[i].Position
			if name := p.name(&e, &page[i].Update); e.Wants(&page[i].Update, name) {
				all = append(all, Notice{Entry: page[i], Name: name})
			}
			if len(all) == q.Limit {
				return all, below, nil
			}
		}
		if len(page) < pageSize {
			return all, 0, nil
		}
	}
	return all, below, nil
}

// failed returns what was tried and not told.
func (p *Post) failed(ctx context.Context, e Endpoint, l Line, q HistoryQuery) ([]Notice, uint64, error) {
	dead, err := p.Ends.Ends(ctx, EndQuery{Endpoint: e.ID, Below: q.Below, GivenUp: true, Limit: q.Limit + 1})
	if err != nil {
		return nil, 0, fmt.Errorf("dead letters of endpoint %s: %w", e.ID, err)
	}
	var all []Notice
	for _, w := range l.Waiting {
		if w.Attempts > 0 && (q.Below == 0 || w.Position < q.Below) {
			all = append(all, Notice{Entry: unread(e, w.Position, w.Delivery, w.Sequence)})
		}
	}
	for i := range dead {
		if _, again := l.find(dead[i].Position); !again {
			all = append(all, Notice{Entry: unread(e, dead[i].Position, dead[i].Delivery, dead[i].Sequence)})
		}
	}
	slices.SortFunc(all, func(a, b Notice) int { return cmp.Compare(b.Position, a.Position) })
	next := uint64(0)
	if len(all) > q.Limit {
		all = all[:q.Limit]
		next = all[q.Limit-1].Position
	}
	for i := range all {
		found, err := p.Log.Entries(ctx, e.Partner, all[i].Position-1, 1)
		if err != nil {
			return nil, 0, fmt.Errorf("log of %s: %w", e.Partner, err)
		}
		if len(found) > 0 && found[0].Position == all[i].Position {
			all[i].Entry, all[i].Name = found[0], p.name(&e, &found[0].Update)
		}
	}
	fates(all, &l, dead)
	return all, next, nil
}

// unread is an entry of which only this is known.
func unread(e Endpoint, position uint64, d delivery.ID, sequence uint64) Entry {
	return Entry{position, delivery.Update{Partner: e.Partner, Delivery: d, Sequence: sequence}}
}

// fates fills in how it stands, from what waits and what has ended.
func fates(all []Notice, l *Line, ends []End) {
	ended := make(map[uint64]End, len(ends))
	for _, end := range ends {
		ended[end.Position] = end
	}
	for i := range all {
		n := &all[i]
		at, waits := l.find(n.Position)
		end, has := ended[n.Position]
		switch {
		case waits:
			w := l.Waiting[at]
			n.Fate, n.Attempts, n.Answer = Waits, w.Attempts, w.Cause
			if w.Attempts > 0 || l.OpenUntil != 0 {
				n.Next = max(w.Next, l.OpenUntil)
			}
		case n.Position > l.Read:
			n.Fate = Waits
		case has && !end.Told:
			n.Fate, n.Ended, n.Attempts, n.Answer = GivenUp, end.At, end.Attempts, end.Cause
		case has:
			n.Fate, n.Ended, n.Attempts, n.Answer = Told, end.At, end.Attempts, end.Cause
		default:
			n.Fate = Told // before ends of this kind were kept
		}
	}
}

// End returns the position of the newest entry of a partner's log, 0 if it has none.
func (p *Post) End(ctx context.Context, partner delivery.PartnerID) (uint64, error) {
	last, err := p.Recent.Newest(ctx, Owner{Partner: partner}, 0, 1)
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0].Position, nil
}
