package merchant

import (
	"cmp"
	"encoding/csv"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// historyPage is what the page of the past shows.
type historyPage struct {
	page
	Text, From, Until, State string
	States                   []choice
	Rows                     []pastRow
	More                     bool // there were more than a page shows
	Searched                 bool // the search ended at its limit
	Query                    string
}

// pastRow is an order of the past.
type pastRow struct {
	told
	Number, Shop   string
	Ordered, Ended string
	Late           string // minutes; "" if it was not
}

// sieve is what of the past is wanted.
type sieve struct {
	text        string
	from, until time.Time // until is not in it
	states      []string
}

const (
	pastRows  = 200  // on a page
	pastLimit = 5000 // looked through, and in a CSV file
)

// history shows what was ordered, newest first.
func (v *visit) history() error {
	d, want := v.historyPage()
	shops, err := v.withShops(&d.page)
	if err != nil {
		return err
	}
	names := v.byName(shops)
	all, whole, err := v.past(want, pastRows+1)
	if err != nil {
		return err
	}
	d.More, d.Searched = len(all) > pastRows, !whole
	for i := range all[:min(len(all), pastRows)] {
		d.Rows = append(d.Rows, v.pastRow(&all[i], names))
	}
	return v.show("history", d)
}

// pastRow returns an order as the table of the past shows it: every time with its day, the end with it
// where that is another one.
func (v *visit) pastRow(d *told, names map[string]string) pastRow {
	now, ordered := v.now(d.Market), v.in(cmp.Or(d.Times.Requested, d.Times.Quoted), d.Market)
	_, store, _ := strings.Cut(d.Pickup.Store, "/")
	row := pastRow{told: *d, Number: number(d.ExternalID), Shop: names[store], Ordered: dayTime(ordered, now), Late: lateness(d)}
	if columnOf(d.State) == "finished" {
		row.Ended = clockTime(v.in(d.Times.Ended, d.Market), ordered)
	}
	return row
}

func (v *visit) historyPage() (*historyPage, sieve) {
	q := v.r.URL.Query()
	d := &historyPage{page: v.page("History", "history"), Text: strings.TrimSpace(q.Get("q")), From: q.Get("from"), Until: q.Get("until"), State: q.Get("state"), Query: v.r.URL.RawQuery}
	want := sieve{text: strings.ToLower(d.Text), states: slices.Concat(underWay, finished)}
	for _, c := range []choice{{"", "All", false}, {"delivered", "Delivered", false}, {"cancelled", "Cancelled", false}, {"returned", "Came back", false}, {"open", "Under way", false}} {
		c.Chosen = c.Value == d.State
		d.States = append(d.States, c)
	}
	switch d.State {
	case "open":
		want.states = underWay
	case "delivered", "cancelled", "returned":
		want.states = []string{d.State}
	}
	zone := v.now("").Location()
	if t, err := time.ParseInLocation(time.DateOnly, d.From, zone); err == nil {
		want.from = t
	}
	if t, err := time.ParseInLocation(time.DateOnly, d.Until, zone); err == nil {
		want.until = t.AddDate(0, 0, 1)
	}
	return d, want
}

// past returns the deliveries that pass a sieve, newest first, at most limit, and whether all were looked through.
func (v *visit) past(want sieve, limit int) (all []told, whole bool, err error) {
	q := v.boardQuery(want.states, "200")
	for looked := 0; looked < pastLimit; {
		var page struct {
			Deliveries []told `json:"deliveries"`
			Next       string `json:"next"`
		}
		if err := v.get("/v1/board", q, &page); err != nil {
			return nil, false, err
		}
		for i := range page.Deliveries {
			d := &page.Deliveries[i]
			if !want.from.IsZero() && d.Times.Quoted.Before(want.from) {
				return all, true, nil // all that follow are older
			}
			if want.passes(d) {
				if all = append(all, *d); len(all) == limit {
					return all, true, nil
				}
			}
		}
		looked += len(page.Deliveries)
		if page.Next == "" {
			return all, true, nil
		}
		q.Set("cursor", page.Next)
	}
	return all, false, nil
}

func (s *sieve) passes(d *told) bool {
	if !s.until.IsZero() && !d.Times.Quoted.Before(s.until) {
		return false
	}
	return s.text == "" || strings.Contains(strings.ToLower(d.ExternalID), s.text) || strings.EqualFold(d.Robot, s.text) || strings.HasPrefix(strings.ToLower(d.ID), s.text)
}

// historyCSV writes what the page of the past shows, and more of it, as a table for other programs.
func (v *visit) historyCSV() error {
	_, want := v.historyPage()
	all, _, err := v.past(want, pastLimit)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="footway-orders.csv"`)
	w := csv.NewWriter(v.w)
	rows := [][]string{{"order", "id", "store", "state", "ordered_at", "robot_at_store_at", "loaded_at", "at_door_at", "ended_at", "promised_by", "minutes_late", "fee_cents", "tip_cents", "order_value_cents", "currency", "route_m", "robot", "cancel_reason"}}
	for i := range all {
		d := &all[i]
		rows = append(rows, []string{
			number(d.ExternalID), d.ID, d.Pickup.Store, d.State, v.stamp(d, d.Times.Requested), v.stamp(d, d.Times.AtPickup), v.stamp(d, d.Times.Loaded), v.stamp(d, d.Times.AtDropoff),
			v.stamp(d, d.Times.Ended), v.stamp(d, d.Promise.DropoffP90), lateness(d), strconv.FormatInt(d.Fee, 10), strconv.FormatInt(d.Tip, 10), strconv.FormatInt(d.Value, 10),
			d.Currency, strconv.FormatInt(d.RouteMM/1000, 10), d.Robot, d.CancelReason,
		})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = harmless(row[i])
		}
	}
	_ = w.WriteAll(rows) // who went away needs no answer
	return nil
}

func (v *visit) stamp(d *told, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.in(t, d.Market).Format(time.RFC3339)
}

// lateness is how many minutes after the promise a delivery was at the door; "" if it was not late or not there.
func lateness(d *told) string {
	if d.Times.AtDropoff.IsZero() || !d.Times.AtDropoff.After(d.Promise.DropoffP90) {
		return ""
	}
	return strconv.Itoa(int(d.Times.AtDropoff.Sub(d.Promise.DropoffP90).Minutes()))
}

// harmless keeps a spreadsheet from taking text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// csvLink returns where the table of a page is.
func (d *historyPage) CSV() string {
	q, err := url.ParseQuery(d.Query)
	if err != nil {
		q = url.Values{}
	}
	return d.pages.at("/history.csv?" + q.Encode())
}
