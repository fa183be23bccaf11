package merchant

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	coremerchant "footway/core/merchant"
)

// newPage is what the page for a new order shows.
type newPage struct {
	page
	Form    orderForm
	Chosen  shop
	All     []shop
	Sizes   []size
	Times   []choice
	Quote   *quoted
	Refusal *refusedView
	Wrong   string
	Market  string
	Closed  string // when the chosen store opens, if it is closed now
}

// quoted is a price with times, until it expires.
type quoted struct {
	found
	Pickup, Dropoff, Expires string
	ExpiresAt                time.Time
	Length                   string
	Of                       string // the form that it is for
}

// refusedView says why a delivery is not possible, and what would be.
type refusedView struct {
	Why, What string
	Reason    string
	ReadyAt   string // the alternative: another time
	ReadyText string
	Lat, Lon  string // or another place
}

// newOrder shows the form for an order, with the store filled in.
func (v *visit) newOrder() error {
	d, err := v.newPage(orderForm{Store: v.store, Size: "medium", Undeliverable: "return_to_pickup"})
	if err != nil {
		return err
	}
	return v.show("new", d)
}

func (v *visit) newPage(f orderForm) (*newPage, error) {
	d := &newPage{page: v.page("New order", "new"), Form: f, Sizes: sizes}
	all, err := v.shops()
	if err != nil {
		return nil, err
	}
	limited := len(v.who.Account.Stores) > 0 // who is orders from the store that is looked at
	d.All = slices.DeleteFunc(all, func(s shop) bool { return s.Status != "active" || limited && s.ID != v.store })
	for _, s := range d.All {
		if s.ID == f.Store || f.Store == "" && d.Chosen.ID == "" {
			d.Chosen = s
		}
	}
	if d.Chosen.ID == "" {
		d.Wrong = "Choose an open store: none is active. An admin sets this under Stores."
		d.Market = string(v.o.Markets[0].ID)
		return d, nil
	}
	d.Form.Store = d.Chosen.ID
	at, err := v.places.of(v, d.Chosen)
	if err != nil && !errors.Is(err, errNoPlace) {
		return nil, err
	}
	d.Market = cmp.Or(at.market, string(v.o.Markets[0].ID))
	v.times(d)
	return d, nil
}

// times fills in when an order may be ready: from now on, or from when the store opens.
func (v *visit) times(d *newPage) {
	now := v.now(d.Market)
	start := now
	if wait, ok := opensIn(d.Chosen, now); ok && wait > 0 {
		start = now.Add(wait)
		d.Closed = clockTime(start, now)
	}
	prep := max(0, time.Duration(d.Chosen.PrepMS)*time.Millisecond)
	usual := start.Add(prep)
	offered := []time.Time{start}
	for _, m := range []int{5, 10, 15, 20, 30, 45, 60, 90, 120, 180} {
		offered = append(offered, start.Add(time.Duration(m)*time.Minute))
	}
	if prep > 0 {
		offered = append(offered, usual)
	}
	chosen := usual
	if ready, ok := v.readyIn(d.Form.Ready); ok {
		if chosen = ready.In(now.Location()); chosen.After(now) {
			offered = append(offered, chosen)
		}
	}
	slices.SortFunc(offered, time.Time.Compare)
	best := offered[0]
	for _, t := range offered {
		if t.Sub(chosen).Abs() < best.Sub(chosen).Abs() {
			best = t
		}
	}
	for i, t := range offered {
		if i > 0 && t.Sub(offered[i-1]) < 30*time.Second {
			continue
		}
		text := clockTime(t, now)
		switch wait := t.Sub(now); {
		case wait < time.Minute:
			text = "Now"
		case wait < 3*time.Hour:
			text = "in " + minutes(wait) + " · " + text
		}
		if t.Equal(usual) && prep > 0 {
			text += " (usual)"
		}
		d.Times = append(d.Times, choice{Value: strconv.FormatInt(t.UnixMilli(), 10), Text: text, Chosen: t.Equal(best)})
	}
}

// opensIn returns how long it is until a store opens, or false if it never does.
func opensIn(s shop, now time.Time) (time.Duration, bool) {
	week, err := coremerchant.Hours(s.Hours).Parse()
	if err != nil {
		return 0, true // the API checks them; an order is better than none
	}
	day := (int(now.Weekday()) + 6) % 7
	wait, ok := week.Wait(day, now.Hour()*60+now.Minute())
	if wait == 0 {
		return 0, ok
	}
	return time.Duration(wait)*time.Minute - time.Duration(now.Second())*time.Second, ok
}

// quote asks what an order would cost and when it would be there.
func (v *visit) quote() error {
	d, err := v.newPage(v.readForm())
	if err != nil {
		return err
	}
	status := http.StatusOK
	if d.Wrong == "" {
		status, err = v.ask(d)
		if err != nil {
			return err
		}
	}
	if v.byScript() {
		return v.showAs("quote", http.StatusOK, d)
	}
	return v.showAs("new", status, d)
}

// ask has the API quote what the form says, and fills in what it answers.
func (v *visit) ask(d *newPage) (status int, err error) {
	f := &d.Form
	if f.Address == "" {
		d.Wrong = "Type the customer’s address, and choose it from the list."
		return http.StatusBadRequest, nil
	}
	if d.Wrong = f.wrong(); d.Wrong != "" {
		return http.StatusBadRequest, nil
	}
	at, err := v.places.of(v, d.Chosen)
	if errors.Is(err, errNoPlace) {
		d.Refusal = refusalOf(v, d, &refusal{Reason: "store_unknown_place"})
		return http.StatusBadRequest, nil
	}
	if err != nil {
		return 0, err
	}
	in := v.request(d, at)
	if ready, ok := in["ready_at"].(time.Time); ok {
		local := v.in(ready, d.Market)
		if wait, open := opensIn(d.Chosen, local); !open || wait > 0 {
			no := &refusal{Reason: "store_closed"}
			if open {
				no.NearestTime = local.Add(wait)
			}
			d.Refusal = refusalOf(v, d, no)
			return http.StatusBadRequest, nil
		}
	}
	var q quoted
	err = v.post("/v1/quotes", in, &q.found)
	if no, ok := errors.AsType[*refused](err); ok && (no.Refusal != nil || wordsOfRefusals[no.Reason][0] != "") {
		why := no.Refusal
		if why == nil {
			why = &refusal{Reason: no.Reason}
		}
		d.Refusal = refusalOf(v, d, why)
		return http.StatusBadRequest, nil
	}
	if err != nil && statusOf(err) == http.StatusBadRequest {
		d.Wrong = v.said(v.r, err)
		return http.StatusBadRequest, nil
	}
	if err != nil {
		return 0, err
	}
	del, now := &q.Delivery, v.now(d.Market)
	q.Pickup = between(v.in(del.Promise.PickupP50, d.Market), v.in(del.Promise.PickupP90, d.Market), now)
	q.Dropoff = between(v.in(del.Promise.DropoffP50, d.Market), v.in(del.Promise.DropoffP90, d.Market), now)
	q.Expires, q.ExpiresAt = clockTime(v.in(del.ExpiresAt, d.Market), now), del.ExpiresAt
	q.Length = strconv.FormatFloat(float64(del.RouteMM)/1e6, 'f', 1, 64) + " km"
	q.Of = f.digest()
	d.Quote = &q
	return http.StatusOK, nil
}

func refusalOf(v *visit, d *newPage, no *refusal) *refusedView {
	words := wordsOfRefusals[no.Reason]
	out := &refusedView{Why: cmp.Or(words[0], "This delivery is not possible."), What: words[1], Reason: no.Reason}
	now := v.now(d.Market)
	switch {
	case !no.NearestTime.IsZero():
		out.ReadyAt = strconv.FormatInt(no.NearestTime.UnixMilli(), 10)
		out.ReadyText = clockTime(v.in(no.NearestTime, d.Market), now)
	case no.MeetingPoint != nil:
		out.Lat, out.Lon = strconv.Itoa(int(no.MeetingPoint.Lat)), strconv.Itoa(int(no.MeetingPoint.Lon))
	}
	return out
}

// accept orders what was quoted, unless the form is another one since then.
func (v *visit) accept() error {
	form, id := v.readForm(), v.r.PostFormValue("external_id")
	if of := v.r.PostFormValue("quoted"); of != "" && of != form.digest() {
		return v.askAgain(form, http.StatusConflict, "You changed the order since the price was made. This is the price now.")
	}
	var f found
	err := v.post("/v1/deliveries/ext:"+segment(id)+"/accept", struct{}{}, &f)
	if err == nil {
		return v.to("/orders/" + url.PathEscape(f.Delivery.ID) + "?note=ordered")
	}
	if reason := reasonOf(err); reason != "quote_expired" && statusOf(err) >= http.StatusInternalServerError {
		return err
	}
	return v.askAgain(form, statusOf(err), v.said(v.r, err))
}

// askAgain shows a form with a new price, and why.
func (v *visit) askAgain(form orderForm, status int, why string) error {
	d, err := v.newPage(form)
	if err != nil {
		return err
	}
	if _, err := v.ask(d); err != nil {
		return err
	}
	d.Wrong = cmp.Or(d.Wrong, why)
	return v.showAs("new", status, d)
}

// where is where a store is.
type where struct {
	market string
	point  *point
}

// places remembers where stores are, so that an address is looked up once in a while.
type places struct {
	mu    sync.Mutex
	known map[string]knownPlace
}

type knownPlace struct {
	where
	until time.Time
}

// errNoPlace says that nobody knows where a store is.
var errNoPlace = errors.New("the address of the store is unknown")

const (
	placeFor  = 10 * time.Minute
	maxPlaces = 10_000
)

// of returns where a store is: in the market that knows its address best.
func (p *places) of(v *visit, s shop) (where, error) {
	key := string(v.who.Account.Business.Partner) + "\x00" + s.Address
	now := time.Now()
	p.mu.Lock()
	k, ok := p.known[key]
	p.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.where, nil
	}
	var found *where
	exact := false
	for _, m := range v.o.Markets {
		var answer struct {
			Matches []match `json:"matches"`
		}
		in := map[string]any{"query": s.Address, "limit": 1}
		if err := v.post("/v1/markets/"+segment(string(m.ID))+"/address-searches", in, &answer); err != nil {
			return where{}, err
		}
		if len(answer.Matches) == 0 {
			continue
		}
		if best := answer.Matches[0]; found == nil || !exact && !best.Approximate {
			found, exact = &where{string(m.ID), &best.Point}, !best.Approximate
		}
	}
	if found == nil {
		return where{}, errNoPlace
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxPlaces {
		p.known = map[string]knownPlace{}
	}
	p.known[key] = knownPlace{*found, now.Add(placeFor)}
	return *found, nil
}
