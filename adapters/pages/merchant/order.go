package merchant

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"footway/adapters/pages/kit"
	"footway/core/fault"
)

// orderPage is what the page of one order shows.
type orderPage struct {
	page
	found
	Card     card
	Steps    []step
	Events   []happening
	Ended    bool
	Carried  bool // it is too late to cancel or edit
	ReadyIn  []choice
	Causes   [][2]string
	Range    string // at the door
	Promised string
	Prepared string // when it is to be ready
	Expires  string
	Wrong    string
	Noted    string // what a button did
	Customer string
}

// step is a part of an order's way.
type step struct {
	Name, Time string
	Done, Now  bool
}

// happening is something that happened to an order.
type happening struct{ Time, Text, Tone string }

type choice struct {
	Value, Text string
	Chosen      bool
}

// order shows one order.
func (v *visit) order() error {
	d, err := v.orderPage()
	if err != nil {
		return err
	}
	return v.show("order", d)
}

// orderNow shows the part of an order's page that changes.
func (v *visit) orderNow() error {
	d, err := v.orderPage()
	if err != nil {
		return err
	}
	return v.show("order-now", d)
}

func (v *visit) orderPage() (*orderPage, error) {
	f, err := v.delivery(v.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	d := &orderPage{page: v.page("Order "+number(f.Delivery.ExternalID), ""), found: f, Causes: cancelCauses}
	del, zone := &d.Delivery, f.Delivery.Market
	d.Live = v.at("/board/events?only=here")
	now := v.now(zone)
	d.Card = v.card(*del, v.trackOf(del), nil)
	d.Ended = d.Card.Column == "finished"
	d.Carried = d.Card.Column == "out" || d.Card.Column == "finished" || del.State == "at_return"
	d.Range = between(v.in(del.Expected.DropoffP50, zone), v.in(del.Expected.DropoffP90, zone), now)
	d.Promised = between(v.in(del.Promise.DropoffP50, zone), v.in(del.Promise.DropoffP90, zone), now)
	d.Prepared = clockTime(v.in(del.ReadyAt, zone), now)
	d.Expires = clockTime(v.in(del.ExpiresAt, zone), now)
	d.Customer = strings.TrimSpace(f.People.GivenName + " " + f.People.FamilyName)
	d.Steps = v.steps(del, now)
	for _, m := range []int{0, 5, 10, 15, 20, 30, 45, 60, 90} {
		at := now.Add(time.Duration(m) * time.Minute)
		d.ReadyIn = append(d.ReadyIn, choice{Value: strconv.FormatInt(at.UnixMilli(), 10), Text: readyText(m, at)})
	}
	var page struct {
		Updates []update `json:"updates"`
	}
	if err := v.get("/v1/deliveries/"+segment(del.ID)+"/updates", nil, &page); err != nil {
		return nil, err
	}
	for i := len(page.Updates) - 1; i >= 0; i-- {
		d.Events = append(d.Events, v.happening(&page.Updates[i], zone, now))
	}
	return d, nil
}

func readyText(minutes int, at time.Time) string {
	if minutes == 0 {
		return "now"
	}
	return "in " + strconv.Itoa(minutes) + " min (" + at.Format("3:04 PM") + ")"
}

// steps are the way of an order, with when it was or will be where.
func (v *visit) steps(d *told, now time.Time) []step {
	zone := d.Market
	if d.State == "quoted" {
		return nil
	}
	will := func(was, will time.Time) string {
		if !was.IsZero() {
			return clockTime(v.in(was, zone), now)
		}
		if will.IsZero() {
			return ""
		}
		return "about " + clockTime(v.in(will, zone), now)
	}
	all := []step{
		{Name: "Ordered", Time: will(d.Times.Requested, time.Time{}), Done: !d.Times.Requested.IsZero()},
		{Name: "Robot chosen", Time: will(d.Times.Assigned, time.Time{}), Done: !d.Times.Assigned.IsZero()},
		{Name: "Robot here", Time: will(d.Times.AtPickup, v.arrives(d)), Done: !d.Times.AtPickup.IsZero()},
		{Name: "Loaded", Time: will(d.Times.Loaded, time.Time{}), Done: !d.Times.Loaded.IsZero()},
		{Name: "At the door", Time: will(d.Times.AtDropoff, d.Expected.DropoffP50), Done: !d.Times.AtDropoff.IsZero()},
	}
	switch d.State {
	case "returning", "at_return", "returned":
		all = append(all, step{Name: "Back with you", Time: will(d.Times.Ended, time.Time{}), Done: d.State == "returned"})
	case "cancelled":
		var done []step
		for _, s := range all {
			if s.Done {
				done = append(done, s)
			}
		}
		return append(done, step{Name: "Cancelled", Time: will(d.Times.Ended, time.Time{}), Done: true})
	default:
		all = append(all, step{Name: "Delivered", Time: will(d.Times.Ended, time.Time{}), Done: d.State == "delivered"})
	}
	for i := range all {
		if !all[i].Done {
			all[i].Now = true
			break
		}
	}
	return all
}

// happening says what an update tells.
func (v *visit) happening(u *update, zone string, now time.Time) happening {
	h := happening{Time: secondTime(v.in(u.At, zone), now)}
	switch u.Kind {
	case "state":
		h.Text, h.Tone = wordsOfStates[u.To], tones[u.To]
		if u.To == "quoted" {
			h.Text = "Price and times given"
		}
		if u.To == "requested" && u.From != "" && u.From != "quoted" {
			h.Text, h.Tone = "Looking for another robot", "warn"
		}
		if u.Cause != "" && (u.To == "cancelled" || u.To == "requested" || u.To == "returning") {
			h.Text += ": " + cause(u.Cause)
		}
		if u.Robot != "" && (u.To == "assigned" || u.To == "at_pickup") {
			h.Text += " · " + u.Robot
		}
	case "custody":
		h.Text, h.Tone = "Another robot carries it: "+u.Robot, "warn"
	case "trouble":
		h.Text, h.Tone = "Trouble: "+cause(u.Cause), "warn"
	case "expectation":
		h.Text = "Expected at the door " + between(v.in(u.Expected.DropoffP50, zone), v.in(u.Expected.DropoffP90, zone), now)
	case "edited":
		h.Text = "Changed"
	case "ready":
		h.Text = "You said that it is ready"
	default:
		h.Text = strings.ReplaceAll(u.Kind, "_", " ")
	}
	return h
}

// did answers a button of an order: with what the page then shows, or what went wrong.
func (v *visit) did(err error, note string) error {
	id := v.r.PathValue("id")
	if err == nil && !v.byScript() {
		return v.to("/orders/" + url.PathEscape(id) + "?note=" + note)
	}
	d, found := v.orderPage()
	if found != nil {
		return found
	}
	status := http.StatusOK
	if err != nil {
		status, d.Wrong = statusOf(err), v.said(v.r, err)
		if d.Card.Alert != nil {
			d.Card.Alert.Said = d.Wrong
		}
	} else {
		d.Noted = wordsOfNotes[note]
	}
	if d.Card.Alert != nil && note == "opening" && err == nil {
		d.Card.Alert.Opened = true // it is asked for, and takes a second
	}
	if v.byScript() {
		name := "order-now"
		if v.r.PostFormValue("from") == "alert" {
			if d.Card.Alert == nil {
				v.w.WriteHeader(http.StatusNoContent)
				return nil
			}
			return kit.Show(v.w, v.html, "alert", status, d.Card.Alert)
		}
		return v.showAs(name, status, d)
	}
	return v.showAs("order", status, d)
}

func (v *visit) path(of string) string {
	return "/v1/deliveries/" + segment(v.r.PathValue("id")) + of
}

func (v *visit) ready() error { return v.did(v.post(v.path("/ready"), struct{}{}, nil), "ready") }

// handoff is what a person at the robot wants.
type handoff struct {
	Purpose string `json:"purpose"`
	Want    string `json:"want"`
}

func (v *visit) purpose() string {
	if v.r.PostFormValue("purpose") == "return" {
		return "return"
	}
	return "load"
}

func (v *visit) open() error {
	return v.did(v.post(v.path("/handoff"), handoff{v.purpose(), "open"}, nil), "opening")
}

func (v *visit) confirm() error {
	return v.did(v.post(v.path("/handoff"), handoff{v.purpose(), "confirm"}, nil), "confirmed")
}

func (v *visit) cancel() error {
	in := map[string]string{"cause": cmp.Or(v.r.PostFormValue("cause"), "mistake")}
	return v.did(v.post(v.path("/cancel"), in, nil), "cancelled")
}

// edit changes what may be changed. What a form leaves as it was is not sent.
func (v *visit) edit() error {
	f, err := v.delivery(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	in := map[string]any{}
	form := v.r.PostFormValue
	if tip, ok := cents(form("tip")); ok && tip != f.Delivery.Tip {
		in["tip_cents"] = tip
	}
	if ready, ok := v.readyIn(form("ready_at")); ok {
		in["ready_at"] = ready
	}
	for field, was := range map[string]string{"dropoff_phone": f.People.Phone, "dropoff_instructions": f.People.Note, "pickup_instructions": f.People.PickupNote} {
		if text := strings.TrimSpace(form(field)); v.r.PostForm.Has(field) && text != was {
			in[field] = text
		}
	}
	if text, there := in["dropoff_phone"].(string); there && text != "" && !phone(text) {
		return v.did(fault.New("merchant.Edit", fault.Invalid, "bad_phone", "dropoff_phone: want a phone number"), "")
	}
	if len(in) == 0 {
		return v.did(nil, "saved")
	}
	return v.did(v.patch(v.path(""), in, nil), "saved")
}
