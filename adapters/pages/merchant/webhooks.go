package merchant

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the API of webhooks says, as far as the pages show it; see openapi/webhooks.yaml.
type (
	hook struct {
		ID       string    `json:"id"`
		URL      string    `json:"url"`
		Events   []string  `json:"events"`
		Status   string    `json:"status"`
		Created  time.Time `json:"created_at"`
		OldUntil time.Time `json:"old_secret_until"`
	}
	issuedHook struct {
		Webhook hook   `json:"webhook"`
		Secret  string `json:"secret"`
	}
	pong struct {
		Taken  bool   `json:"taken"`
		Answer string `json:"answer"`
		TookMS int64  `json:"took_ms"`
	}
	hookEvents struct {
		Events []hookEvent `json:"events"`
		Next   string      `json:"next"`
	}
	hookEvent struct {
		Place      string    `json:"place"`
		EventID    string    `json:"event_id"`
		Name       string    `json:"name"`
		At         time.Time `json:"at"`
		Delivery   string    `json:"delivery"`
		ExternalID string    `json:"external_id"`
		Fate       string    `json:"fate"`
		EndedAt    time.Time `json:"ended_at"`
		Attempts   int       `json:"attempts"`
		NextAt     time.Time `json:"next_at"`
		Answer     string    `json:"answer"`
	}
)

// hooksPath is where the API has webhooks.
const hooksPath = "/v1/webhooks"

// hookCall calls the API of webhooks. Only admins get that far.
func (v *visit) hookCall(method, path string, query url.Values, in, out any) error {
	if v.hooks == nil {
		return errNowhere
	}
	if err := v.mustAdmin(); err != nil {
		return err
	}
	return v.hooks.call(v.ctx, v.pass, method, hooksPath+path, query, in, out)
}

// hookView is a webhook as it is shown.
type hookView struct {
	hook
	About  string // which events
	Made   string
	OldEnd string // when the old secret ends; "" if there is none
}

// Tag is what its status is called, and Tone how that looks.
func (h hookView) Tag() string  { return wordsOfHooks[h.Status][0] }
func (h hookView) Tone() string { return wordsOfHooks[h.Status][1] }

var wordsOfHooks = map[string][2]string{
	"active": {"on", "good"}, "paused": {"paused", "warn"}, "suspended": {"stopped by Footway", "bad"}, "gone": {"closed: it answered 410", "bad"},
}

func (v *visit) hookView(h hook) hookView {
	now := v.now("")
	view := hookView{hook: h, About: "all events", Made: clockTime(v.in(h.Created, ""), now)}
	if n := len(h.Events); n > 0 {
		view.About = strconv.Itoa(n) + " kinds of events"
		if n == 1 {
			view.About = "“" + nameOfEvent(h.Events[0]) + "” only"
		}
	}
	if !h.OldUntil.IsZero() {
		view.OldEnd = clockTime(v.in(h.OldUntil, ""), now)
	}
	return view
}

// hooksPage is what the page of all webhooks shows.
type hooksPage struct {
	page
	All    []hookView
	Kinds  []choice // of events, as the form has them
	URL    string   // as the form has it
	Wrong  string
	Secret string // of the one that was just made: it is shown once
	Fresh  hookView
}

func (v *visit) webhooks() error { return v.showHooks(&hooksPage{}, http.StatusOK) }

// showHooks shows all webhooks.
func (v *visit) showHooks(d *hooksPage, status int) error {
	d.page = v.page("Webhooks", "settings")
	var all struct {
		Webhooks []hook `json:"webhooks"`
	}
	if err := v.hookCall(http.MethodGet, "", nil, nil, &all); err != nil {
		return err
	}
	for _, h := range all.Webhooks {
		d.All = append(d.All, v.hookView(h))
	}
	chosen := v.r.PostForm["events"]
	for _, e := range namesOfEvents {
		d.Kinds = append(d.Kinds, choice{e[0], e[1], d.Wrong != "" && slices.Contains(chosen, e[0])})
	}
	return v.showAs("webhooks", status, d)
}

// addWebhook makes a webhook, and shows its secret once.
func (v *visit) addWebhook() error {
	d := &hooksPage{URL: strings.TrimSpace(v.r.PostFormValue("url"))}
	in := map[string]any{"url": d.URL}
	if events := v.r.PostForm["events"]; len(events) > 0 {
		in["events"] = events
	}
	var made issuedHook
	err := v.hookCall(http.MethodPost, "", nil, in, &made)
	switch {
	case err == nil:
		d.Secret, d.Fresh, d.URL = made.Secret, v.hookView(made.Webhook), ""
		return v.showHooks(d, http.StatusOK)
	case v.hooks == nil || !v.admin() || statusOf(err) >= http.StatusInternalServerError:
		return err
	}
	d.Wrong = wordsOfHookErrors[reasonOf(err)]
	if d.Wrong == "" {
		d.Wrong = v.said(v.r, err)
	}
	return v.showHooks(d, statusOf(err))
}

// hookPage is what the page of one webhook shows.
type hookPage struct {
	page
	Hook   hookView
	Rows   []hookRow
	Failed bool   // only those are shown that did not arrive
	Older  string // the address of the page before, "" if there is none
	First  bool   // the newest are shown
	Wrong  string
	Secret string
	Pong   *pong
}

// hookRow is a line of the log.
type hookRow struct {
	hookEvent
	Words, When, Number string
	Tag, Tone           string
	Told                string // when and how it went, in a sentence
}

func (v *visit) webhook() error { return v.showHook(&hookPage{}, http.StatusOK) }

// showHook shows one webhook, and how its events went.
func (v *visit) showHook(d *hookPage, status int) error {
	d.page = v.page("Webhook", "settings")
	path, ask := "/"+segment(v.r.PathValue("webhook")), v.r.URL.Query()
	d.Failed, d.First = ask.Get("show") == "failed", ask.Get("cursor") == ""
	query := url.Values{"limit": {"25"}}
	if d.Failed {
		query.Set("failed", "true")
	}
	if !d.First {
		query.Set("cursor", ask.Get("cursor"))
	}
	var h hook
	if err := v.hookCall(http.MethodGet, path, nil, nil, &h); err != nil {
		return err
	}
	d.Hook = v.hookView(h)
	var events hookEvents
	if err := v.hookCall(http.MethodGet, path+"/events", query, nil, &events); err != nil {
		return err
	}
	for _, e := range events.Events {
		d.Rows = append(d.Rows, v.hookRow(e, h.Status))
	}
	if events.Next != "" {
		older := url.Values{"cursor": {events.Next}}
		if d.Failed {
			older.Set("show", "failed")
		}
		d.Older = v.at("/settings/webhooks"+path) + "?" + older.Encode()
	}
	return v.showAs("webhook", status, d)
}

// hookRow puts into words how it went with an event.
func (v *visit) hookRow(e hookEvent, status string) hookRow {
	now := v.now("")
	r := hookRow{hookEvent: e, Words: nameOfEvent(e.Name), Number: number(e.ExternalID), When: clockTime(v.in(e.At, ""), now)}
	at := func(t time.Time) string { return clockTime(v.in(t, ""), now) }
	switch {
	case e.Fate == "told":
		r.Tag, r.Tone, r.Told = "arrived", "good", "Arrived"
		if !e.EndedAt.IsZero() {
			r.Told += " at " + at(e.EndedAt)
		}
		if e.Attempts > 1 {
			r.Told += ", attempt " + strconv.Itoa(e.Attempts)
		}
	case e.Fate == "given_up":
		r.Tag, r.Tone, r.Told = "given up", "bad", "Given up at "+at(e.EndedAt)+" after "+times(e.Attempts)
	case status != "active":
		r.Tag, r.Tone, r.Told = "waits", "", "Is sent when the webhook is on again"
	case e.Attempts > 0:
		r.Tag, r.Tone, r.Told = "failed, tried again", "warn", "Failed "+times(e.Attempts)
		if !e.NextAt.IsZero() && e.NextAt.After(v.o.Clock.Now().Std()) {
			r.Told += ", next try " + at(e.NextAt)
		}
	default:
		r.Tag, r.Told = "on its way", "Waits for its turn"
	}
	return r
}

// times counts attempts.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}

// doWebhook does what a button of a webhook's page says.
func (v *visit) doWebhook() error {
	path, form := "/"+segment(v.r.PathValue("webhook")), v.r.PostFormValue
	here, nothing := "/settings/webhooks"+path, struct{}{}
	d, then := &hookPage{}, ""
	var err error
	switch v.r.PathValue("do") {
	case "pause":
		err, then = v.hookCall(http.MethodPatch, path, nil, map[string]string{"status": "paused"}, nil), here+"?note=paused"
	case "resume":
		err, then = v.hookCall(http.MethodPatch, path, nil, map[string]string{"status": "active"}, nil), here+"?note=resumed"
	case "remove":
		err, then = v.hookCall(http.MethodDelete, path, nil, nil, nil), "/settings/webhooks?note=removed"
	case "resend":
		err, then = v.hookCall(http.MethodPost, path+"/events/"+segment(form("event"))+"/resend", nil, nothing, nil), here+"?note=resent"
	case "resend-from":
		err, then = v.hookCall(http.MethodPost, path+"/resend", nil, map[string]string{"from": form("event")}, nil), here+"?note=resentall"
	case "secret":
		return v.rotated(d, path, form("grace"))
	case "ping":
		d.Pong = &pong{}
		err = v.hookCall(http.MethodPost, path+"/ping", nil, nothing, d.Pong)
	default:
		return errNowhere
	}
	if err != nil {
		return v.refusedHook(err)
	}
	if then == "" {
		return v.showHook(d, http.StatusOK)
	}
	return v.to(then)
}

// rotated makes another secret, and shows it once.
func (v *visit) rotated(d *hookPage, path, grace string) error {
	seconds, err := strconv.ParseUint(grace, 10, 20)
	if err != nil {
		seconds = 24 * 3600
	}
	var made issuedHook
	if err := v.hookCall(http.MethodPost, path+"/secret", nil, map[string]uint64{"grace_s": seconds}, &made); err != nil {
		return v.refusedHook(err)
	}
	d.Secret = made.Secret
	return v.showHook(d, http.StatusOK)
}

// refusedHook shows the webhook's page with what went wrong, where there is one to show.
func (v *visit) refusedHook(err error) error {
	status := statusOf(err)
	if v.hooks == nil || !v.admin() || status >= http.StatusInternalServerError || reasonOf(err) == "unknown_endpoint_id" {
		return err
	}
	d := &hookPage{Wrong: wordsOfHookErrors[reasonOf(err)]}
	if d.Wrong == "" {
		d.Wrong = v.said(v.r, err)
	}
	return v.showHook(d, status)
}

// wordsOfHookErrors say what is wrong with a webhook, and what to do.
var wordsOfHookErrors = map[string]string{
	"bad_endpoint":        "Footway cannot send to this address. Want https, and a server on the internet, such as https://hooks.example.com/footway. Private addresses, user names in the address and odd ports are not called.",
	"duplicate_url":       "There is a webhook to this address already.",
	"too_many_endpoints":  "A business may have five webhooks. Delete one first.",
	"unknown_partner":     "Your business’s partner is not registered for webhooks yet. Call us.",
	"endpoint_not_active": "The webhook is not on. Turn it on first.",
	"endpoint_suspended":  "Footway has stopped this webhook. Call us.",
	"unknown_event":       "This event is no longer kept.",
	"bad_cursor":          "This event is no longer kept.",
	"too_much_waits":      "Too many events wait for this address already. They are sent as soon as it answers.",
	"too_often":           "That was a little often. Wait a minute, and try again.",
}

// namesOfEvents are the kinds of events, in the order in which most orders have them.
var namesOfEvents = [][2]string{
	{"FOOTWAY_QUOTED", "A price was asked"}, {"FOOTWAY_CREATED", "Ordered"}, {"DASHER_CONFIRMED", "Robot chosen"}, {"DASHER_ENROUTE_TO_PICKUP", "Robot on its way to you"},
	{"DASHER_CONFIRMED_PICKUP_ARRIVAL", "Robot is here"}, {"DASHER_PICKED_UP", "Loaded"}, {"DASHER_ENROUTE_TO_DROPOFF", "On the way"}, {"DASHER_CONFIRMED_DROPOFF_ARRIVAL", "At the customer’s door"},
	{"DASHER_DROPPED_OFF", "Delivered"}, {"DELIVERY_CANCELLED", "Cancelled"}, {"DELIVERY_RETURN_INITIALIZED", "Coming back to you"}, {"DASHER_CONFIRMED_RETURN_ARRIVAL", "Back here"},
	{"DELIVERY_RETURNED", "Came back"}, {"FOOTWAY_ORDER_READY", "Goods ready"}, {"FOOTWAY_ESTIMATE_CHANGED", "Earlier or later than said"}, {"FOOTWAY_EDITED", "Changed"},
	{"FOOTWAY_UNASSIGNED", "Another robot is looked for"}, {"FOOTWAY_CUSTODY_MOVED", "Another robot took over"}, {"FOOTWAY_TROUBLE", "Something went wrong"}, {"FOOTWAY_UPDATE", "Something else"},
}

// nameOfEvent puts the name of an event into words.
func nameOfEvent(name string) string {
	for _, e := range namesOfEvents {
		if e[0] == name {
			return e[1]
		}
	}
	if name == "" {
		return "An old event"
	}
	return name
}
