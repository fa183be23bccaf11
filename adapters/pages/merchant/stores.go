package merchant

import (
	"net/http"
	"strconv"
	"strings"

	"footway/core/clock"
	coremerchant "footway/core/merchant"
)

// storesPage is what the page of the stores shows.
type storesPage struct {
	page
	All []storeView
}

type storeView struct {
	shop
	Prep  int64 // minutes
	Week  []dayView
	Words string // of the hours
	Wrong string
	Open  bool // the form is unfolded
}

// dayView is a day of a store, of one time: what opens twice a day is written by hand.
type dayView struct {
	ID, Name, From, To string
	On                 bool
}

var days = [7][2]string{{"mo", "Monday"}, {"tu", "Tuesday"}, {"we", "Wednesday"}, {"th", "Thursday"}, {"fr", "Friday"}, {"sa", "Saturday"}, {"su", "Sunday"}}

func (v *visit) stores() error { return v.showStores("", "", http.StatusOK) }

// showStores shows the stores; wrong is what is wrong with one of them.
func (v *visit) showStores(id, wrong string, status int) error {
	d := storesPage{page: v.page("Stores", "stores")}
	all, err := v.shops()
	if err != nil {
		return err
	}
	for _, s := range all {
		one := storeView{shop: s, Prep: s.PrepMS / 60_000, Words: s.Hours}
		if s.Hours == "" {
			one.Words = "always open"
		}
		if s.ID == id {
			one.Wrong, one.Open = wrong, wrong != ""
		}
		week, err := coremerchant.Hours(s.Hours).Parse()
		for i, name := range days {
			view := dayView{ID: name[0], Name: name[1], From: "09:00", To: "18:00"}
			switch {
			case s.Hours == "":
				view.On = true // to begin with, for who opens it no longer always
			case err == nil && len(week[i]) > 0:
				first, last := week[i][0], week[i][len(week[i])-1]
				view.On, view.From, view.To = true, timeText(first.From), timeText(last.To)
			}
			one.Week = append(one.Week, view)
		}
		d.All = append(d.All, one)
	}
	return v.showAs("stores", status, d)
}

func timeText(minute int) string {
	if minute %= 24 * 60; minute < 0 {
		minute = 0
	}
	two := func(n int) string {
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
		return strconv.Itoa(n)
	}
	return two(minute/60) + ":" + two(minute%60)
}

// editStore changes a store.
func (v *visit) editStore() error {
	if err := v.mustAdmin(); err != nil {
		return err
	}
	id, form := v.r.PathValue("store"), v.r.PostFormValue
	in := map[string]any{"name": strings.TrimSpace(form("name")), "address": strings.TrimSpace(form("address")), "status": "inactive"}
	if form("active") != "" {
		in["status"] = "active"
	}
	if text := strings.TrimSpace(form("phone")); text != "" {
		if !phone(text) {
			return v.showStores(id, "Phone: want a number such as +12065550100.", http.StatusBadRequest)
		}
		in["phone"] = text
	}
	prep, err := strconv.ParseUint(form("prep"), 10, 16)
	if err != nil {
		return v.showStores(id, "Preparation time: want whole minutes, such as 12.", http.StatusBadRequest)
	}
	in["prep_ms"] = int64(prep) * int64(clock.Minute)
	hours, ok := hoursIn(form)
	if !ok {
		return v.showStores(id, "Hours: want a time for each day that is ticked, such as 08:00 to 18:00. To be closed for a while, switch the store off.", http.StatusBadRequest)
	}
	in["hours"] = hours
	err = v.patch("/v1/businesses/"+segment(v.who.Account.Business.ID)+"/stores/"+segment(id), in, nil)
	if err != nil && statusOf(err) == http.StatusBadRequest {
		return v.showStores(id, "Something is not as it should be: a name of up to 200 letters, an address, a phone number such as +12065550100.", http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return v.to("/stores?note=saved")
}

// hoursIn reads the hours of a form: by day, or as text.
func hoursIn(form func(string) string) (string, bool) {
	if form("always") != "" {
		return "", true
	}
	var week coremerchant.Week
	for i, d := range days {
		if form("on-"+d[0]) == "" {
			continue
		}
		one, err := coremerchant.Hours("Mo " + form("from-"+d[0]) + "-" + form("to-"+d[0])).Parse()
		if err != nil {
			return "", false
		}
		week[i] = one[0]
	}
	text := string(week.Hours())
	return text, text != ""
}
