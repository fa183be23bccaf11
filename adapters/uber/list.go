package uber

import (
	"context"
	"net/url"
	"strconv"

	"footway/core/delivery"
)

// Limits of a list.
const (
	someListed = 20
	mostListed = 100
	maxOffset  = 1000 // each page before is read again
)

// listed is a page of a list in Uber's words.
type listed struct {
	Data  []answer `json:"data"`
	Next  string   `json:"next_href"`
	Total int      `json:"total_count"` // Uber tells none either
	Kind  string   `json:"object"`
	URL   string   `json:"url"`
}

// list returns a partner's deliveries, the newest first, without their people.
func (d *Direct) list(ctx context.Context, c *call) (any, error) {
	states, known := statesOf(c.query.Get("filter"))
	if !known {
		return nil, invalid("filter", "Want pending, pickup, pickup_complete, dropoff, delivered, canceled, returned or ongoing.")
	}
	limit, okLimit := whole(c.query, "limit", someListed, 1, mostListed)
	at := "offset"
	if c.query.Has("Offset") { // as Uber's specification writes it, and its own links do not
		at = "Offset"
	}
	offset, okOffset := whole(c.query, at, 0, 0, maxOffset)
	switch {
	case !okLimit:
		return nil, invalid("limit", "Want a whole number from 1 to 100.")
	case !okOffset:
		return nil, invalid("offset", "Want a whole number from 0 to 1000.")
	}
	base := Prefix + url.PathEscape(string(c.Partner)) + "/deliveries"
	page := listed{Data: []answer{}, Total: -1, Kind: "list", URL: base}
	q := delivery.BoardQuery{Partner: c.Partner, States: states, Limit: mostListed}
	for seen := 0; ; {
		found, err := d.Board.Board(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range found {
			got := &found[i]
			q.After = got.Mark()
			if got.Times.Requested == 0 { // a quote that was used
				continue
			}
			if seen++; seen <= offset {
				continue
			}
			if len(page.Data) == limit {
				if offset+limit > maxOffset { // the rest is history, which webhooks and the log of events tell
					return page, nil
				}
				next := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset + limit)}}
				if f := c.query.Get("filter"); f != "" {
					next.Set("filter", f)
				}
				page.Next = base + "?" + next.Encode()
				return page, nil
			}
			page.Data = append(page.Data, d.summary(got, outward))
		}
		if len(found) < q.Limit {
			return page, nil
		}
	}
}

// whole reads a whole number of a query, or returns otherwise.
func whole(q url.Values, name string, otherwise, least, most int) (int, bool) {
	text := q.Get(name)
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}
