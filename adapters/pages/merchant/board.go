package merchant

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// States of a delivery, by what a shop has to do with them.
var (
	here      = []string{"at_pickup", "at_return"}
	preparing = []string{"requested", "assigned", "to_pickup"}
	out       = []string{"loaded", "to_dropoff", "at_dropoff", "returning"}
	finished  = []string{"delivered", "returned", "cancelled"}
	underWay  = slices.Concat(here, preparing, out)
)

// columnOf returns in which column of the board a state is.
func columnOf(state string) string {
	switch {
	case slices.Contains(here, state):
		return "here"
	case slices.Contains(preparing, state):
		return "preparing"
	case slices.Contains(out, state):
		return "out"
	}
	return "finished"
}

// card is an order on the board.
type card struct {
	told
	Number  string
	Column  string
	Sort    int64  // cards of a column are in this order
	When    string // the next thing that happens, and when
	Warning string // lateness before it happens, and what to do
	Tone    string // of the warning: warn or bad
	Shop    string // name of the store, where several are shown
	MayPack bool   // the shop may say that it is ready
	Alert   *alert
}

// alert is a robot that stands before the shop.
type alert struct {
	ID, Number, Robot, PIN string
	Purpose                string // load or return
	Until                  time.Time
	Left                   string
	Opened                 bool
	Said                   string
	Shop                   string
}

// Open reports whether the lid was opened already.
func (a *alert) Load() bool { return a.Purpose == "load" }

// card returns a delivery as the board shows it. t is what is known of the robot at the door, nil if it is not there.
func (p *Pages) card(d told, t *track, shops map[string]string) card {
	now := p.now(d.Market)
	c := card{told: d, Number: number(d.ExternalID), Column: columnOf(d.State)}
	_, store, _ := strings.Cut(d.Pickup.Store, "/")
	c.Shop = shops[store]
	c.MayPack = c.Column == "preparing" && d.ReadySaid.IsZero()
	next := d.Expected.DropoffP50
	switch c.Column {
	case "here":
		next = d.Since
		c.When = "since " + clockTime(p.in(d.Since, d.Market), now)
	case "preparing":
		next = p.arrives(&d)
		c.When = "Robot at " + clockTime(p.in(next, d.Market), now)
		if d.State == "requested" {
			c.When = "Robot at about " + clockTime(p.in(next, d.Market), now)
		}
	case "out":
		c.When = "At the door " + between(p.in(d.Expected.DropoffP50, d.Market), p.in(d.Expected.DropoffP90, d.Market), now)
		if d.State == "at_dropoff" || d.State == "returning" {
			c.When = "since " + clockTime(p.in(d.Since, d.Market), now)
		}
	default:
		next = time.UnixMilli(-d.Times.Ended.UnixMilli()) // the last first
		c.When = clockTime(p.in(d.Times.Ended, d.Market), now)
	}
	c.Sort = next.UnixMilli()
	c.Warning, c.Tone = p.warning(&d, now)
	if c.Column == "here" {
		c.Alert = p.alert(&d, t, now)
		c.Alert.Shop = c.Shop
	}
	return c
}

// arrives returns when the robot should be at the shop.
func (p *Pages) arrives(d *told) time.Time {
	for _, t := range []time.Time{d.PickupAt, d.Expected.PickupP50, d.Promise.PickupP50} {
		if !t.IsZero() {
			return t
		}
	}
	return d.ReadyAt
}

func (p *Pages) alert(d *told, t *track, now time.Time) *alert {
	a := &alert{ID: d.ID, Number: number(d.ExternalID), Robot: d.Robot, PIN: d.LoadPIN, Purpose: "load"}
	if d.State == "at_return" {
		a.Purpose = "return"
	}
	if t != nil {
		a.Until, a.Opened = t.WaitsUntil, !t.OpenedAt.IsZero()
		a.Left = stopwatch(t.WaitsUntil.Sub(now))
	}
	return a
}

// warning says what is late or will be, before it is. Tone is warn or bad.
func (p *Pages) warning(d *told, now time.Time) (text, tone string) {
	column := columnOf(d.State)
	late := d.Expected.DropoffP50.Sub(d.Promise.DropoffP90)
	perhaps := d.Expected.DropoffP90.Sub(d.Promise.DropoffP90)
	known := !d.Promise.DropoffP90.IsZero() && !d.Expected.DropoffP50.IsZero()
	comes := p.arrives(d).Sub(now)
	switch {
	case column == "finished" || column == "here":
		return "", ""
	case d.State == "returning":
		return "Nobody took it: " + cmp.Or(cause(d.GoingBack), "it comes back to you"), "warn"
	case d.Silent:
		return "The robot has been silent since " + clockTime(p.in(d.LateSince, d.Market), now) + ". We look after it.", "bad"
	case d.GoingBack != "":
		return "It turns around: " + cause(d.GoingBack), "warn"
	case known && late >= time.Minute:
		return "Will be " + minutes(late) + " late", "bad"
	case column == "preparing" && d.ReadySaid.IsZero() && d.State != "requested" && comes < 4*time.Minute:
		return "Pack it now: the robot comes in " + minutes(max(0, comes)), "warn"
	case column == "preparing" && d.ReadySaid.IsZero() && now.Sub(d.ReadyAt) >= 2*time.Minute:
		return "Was to be ready " + minutes(now.Sub(d.ReadyAt)) + " ago", "warn"
	case known && perhaps >= 2*time.Minute:
		return "May be up to " + minutes(perhaps) + " late", "warn"
	}
	return "", ""
}

// boardQuery asks for the deliveries in some states that the visitor looks at.
func (v *visit) boardQuery(states []string, limit string) url.Values {
	q := url.Values{"state": states, "limit": {limit}}
	if v.store != "" {
		q.Set("store", v.who.Account.Business.ID+"/"+v.store)
	}
	return q
}

type boardPage struct {
	page
	Columns []column
	Empty   bool
}

type column struct {
	ID, Title, None string
	Cards           []card
}

// byName returns the names of stores, if several are looked at.
func (v *visit) byName(shops []shop) map[string]string {
	names := map[string]string{}
	if v.store == "" && len(shops) > 1 {
		for i := range shops {
			names[shops[i].ID] = shops[i].Name
		}
	}
	return names
}

// board shows the orders of now.
func (v *visit) board() error {
	d := boardPage{page: v.page("Board", "board"), Columns: []column{
		{ID: "here", Title: "Robot is here", None: "No robot is waiting."},
		{ID: "preparing", Title: "To prepare", None: "Nothing to prepare."},
		{ID: "out", Title: "On the way", None: "Nothing is on the way."},
		{ID: "finished", Title: "Finished", None: "Nothing has ended yet."},
	}}
	d.Live = v.at("/board/events")
	shops, err := v.withShops(&d.page)
	if err != nil {
		return err
	}
	names := v.byName(shops)
	for _, q := range []url.Values{v.boardQuery(underWay, "200"), v.boardQuery(finished, "12")} {
		var page struct {
			Deliveries []told `json:"deliveries"`
		}
		if err := v.get("/v1/board", q, &page); err != nil {
			return err
		}
		for i := range page.Deliveries {
			c := v.card(page.Deliveries[i], v.trackOf(&page.Deliveries[i]), names)
			for j := range d.Columns {
				if d.Columns[j].ID == c.Column {
					d.Columns[j].Cards = append(d.Columns[j].Cards, c)
				}
			}
		}
	}
	d.Empty = true
	for i := range d.Columns {
		slices.SortFunc(d.Columns[i].Cards, func(a, b card) int { return cmp.Or(cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.ID, b.ID)) })
		d.Empty = d.Empty && len(d.Columns[i].Cards) == 0
	}
	return v.show("board", d)
}

// trackOf returns what is known of a robot that stands before the shop, nil if none does or nobody knows.
func (v *visit) trackOf(d *told) *track {
	if columnOf(d.State) != "here" {
		return nil
	}
	var t track
	if err := v.get("/v1/deliveries/"+segment(d.ID)+"/track", nil, &t); err != nil {
		return nil // the robot is here all the same
	}
	return &t
}
