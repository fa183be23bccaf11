package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"footway/core/fault"
)

// UnknownEvent is the reason when an endpoint is not told of an entry, or the log has it no more.
const UnknownEvent = "unknown_event"

// active returns an endpoint that can be told.
func (p *Post) active(ctx context.Context, o Owner, endpoint string) (Endpoint, error) {
	e, err := p.Endpoints.OwnEndpoint(ctx, o, endpoint)
	if err == nil && e.Status != Active {
		err = fault.New("integration.Post", fault.Conflict, NotActive, "endpoint %s is %s; want it active", e.ID, e.Status)
	}
	return e, err
}

// Rewind has an endpoint told again what is behind a position of its partner's
// log, in order, with the same ids, and after that what is new. What waits stays waiting.
func (p *Post) Rewind(ctx context.Context, o Owner, endpoint string, after uint64) error {
	e, err := p.active(ctx, o, endpoint)
	if err != nil {
		return err
	}
	err = p.change(ctx, e, func(l *Line) error {
		if after >= l.Read {
			return errNothing // it is yet to come
		}
		if i, _ := l.find(after + 1); i < len(l.Waiting) {
			l.Waiting = l.Waiting[:i] // they are read again
		}
		l.Read = after
		return nil
	})
	if err != nil {
		return err
	}
	return p.Endpoints.touch(ctx, e, after) // whoever sends to it looks at it again
}

// Resend has an endpoint told once more of one entry that it was told of, or is
// to be: at once, though it was left alone. Later entries do not come again. It fails with fault.NotFound if the endpoint is not told of
// such an entry, and with fault.Exhausted while too much waits for it.
func (p *Post) Resend(ctx context.Context, o Owner, endpoint string, position uint64) error {
	e, err := p.active(ctx, o, endpoint)
	if err != nil {
		return err
	}
	entry, err := p.wanted(ctx, e, position)
	if err != nil {
		return err
	}
	now := p.Clock.Now()
	err = p.change(ctx, e, func(l *Line) error {
		if l.OpenUntil != 0 {
			l.OpenUntil = min(l.OpenUntil, now)
		}
		i, waits := l.find(position)
		switch {
		case waits:
			l.Waiting[i].Next = 0
		case position > l.Read: // it is yet to come
		case len(l.Waiting) >= p.rules.Window:
			return fault.New("integration.Resend", fault.Exhausted, "too_much_waits", "%d webhooks wait for endpoint %s; want it to take some first", len(l.Waiting), e.ID)
		default:
			l.Waiting = slices.Insert(l.Waiting, i, Parcel{Position: position, Delivery: entry.Delivery, Sequence: entry.Sequence, Since: now})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.Endpoints.touch(ctx, e, e.From)
}

// wanted returns the entry at a position, of which an endpoint is told.
func (p *Post) wanted(ctx context.Context, e Endpoint, position uint64) (Entry, error) {
	unknown := fault.New("integration.Resend", fault.NotFound, UnknownEvent, "endpoint %s is not told of such an event", e.ID)
	if position <= e.From {
		return Entry{}, unknown
	}
	found, err := p.Log.Entries(ctx, e.Partner, position-1, 1)
	switch {
	case err != nil:
		return Entry{}, fmt.Errorf("log of %s: %w", e.Partner, err)
	case len(found) == 0 || found[0].Position != position || !e.Wants(&found[0].Update, p.name(&e, &found[0].Update)):
		return Entry{}, unknown
	}
	return found[0], nil
}

// errNothing says that a line is as it should be.
var errNothing = errors.New("nothing is to be changed")

// change changes an endpoint's line, whoever writes it meanwhile.
func (p *Post) change(ctx context.Context, e Endpoint, how func(*Line) error) error {
	for range maxTries {
		l, err := p.line(ctx, e)
		if err != nil {
			return err
		}
		if err := how(&l); errors.Is(err, errNothing) {
			return nil
		} else if err != nil {
			return err
		}
		if _, err = p.Lines.SaveLine(ctx, l); !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return contention("line", e.ID)
}

// line returns an endpoint's line as it stands, or as it begins.
func (p *Post) line(ctx context.Context, e Endpoint) (Line, error) {
	l, err := p.Lines.Line(ctx, e.ID)
	if fault.Is(err, fault.NotFound) {
		return Line{Endpoint: e.ID, Partner: e.Partner, Read: e.From}, nil
	}
	if err != nil {
		return l, fmt.Errorf("line of endpoint %s: %w", e.ID, err)
	}
	return l, nil
}

// Remove forgets an endpoint with all that is its own. It is paused first, so that nobody begins to send to it.
func (p *Post) Remove(ctx context.Context, o Owner, endpoint string) error {
	e, err := p.Endpoints.SetEndpoint(ctx, o, endpoint, Paused)
	if err != nil {
		return err
	}
	if err := p.Lines.DropLine(ctx, e.ID); err != nil {
		return fmt.Errorf("drop the line of endpoint %s: %w", e.ID, err)
	}
	return p.Endpoints.drop(ctx, e)
}
