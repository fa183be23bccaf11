package merchant

import (
	"html/template"
	"net/http"
	"time"

	"footway/adapters/pages/kit"
	"footway/core/account"
)

// page is what all pages show.
type page struct {
	Title string
	Nav   string // the entry of the menu that is lit
	Theme string // light, dark, or "" as the system has it
	Said  string // what went wrong
	Note  string // what worked
	Shops []shop // that can be chosen, where there are several
	Store string // the one that is chosen
	Live  string // where news come from; "" is nowhere

	pages *Pages
	who   *account.Account
}

// Who returns who is signed in, nil if nobody is.
func (p page) Who() *account.Account { return p.who }

// Admin reports whether who is signed in may change stores and people.
func (p page) Admin() bool { return p.who != nil && p.who.Role == account.Admin }

// Support returns the phone number for help.
func (p page) Support() string { return p.pages.o.Support }

// Hooks reports whether who is signed in may look after webhooks.
func (p page) Hooks() bool { return p.Admin() && p.pages.hooks != nil }

// All reports whether all stores of the business can be looked at together.
func (p page) All() bool { return p.who != nil && len(p.who.Stores) == 0 }

// Map returns where the map's module is, and Tiles where its tiles are.
func (p page) Map() string   { return p.pages.o.Map }
func (p page) Tiles() string { return p.pages.o.Tiles }

func (p *Pages) theme(r *http.Request) string {
	if t := p.cookies.Get(r, themeCookie); t == "light" || t == "dark" {
		return t
	}
	return ""
}

// page returns what a page of the visitor shows.
func (v *visit) page(title, nav string) page {
	d := page{Title: title, Nav: nav, Theme: v.theme(v.r), Store: v.store, pages: v.Pages, Note: wordsOfNotes[v.r.URL.Query().Get("note")]}
	if v.who.Account.ID != "" {
		d.who = &v.who.Account
		d.Live = v.at("/board/events?only=here")
	}
	return d
}

// withShops fills in the stores between which the visitor may choose.
func (v *visit) withShops(d *page) ([]shop, error) {
	all, err := v.shops()
	if len(all) > 1 {
		d.Shops = all
	}
	return all, err
}

func (v *visit) show(name string, data any) error { return v.showAs(name, http.StatusOK, data) }

func (v *visit) showAs(name string, status int, data any) error {
	if err := kit.Show(v.w, v.html, name, status, data); err != nil {
		v.o.Log.ErrorContext(v.r.Context(), "a page could not be made", "page", name, "error", err)
	}
	return nil
}

func (v *visit) chooseStore() error {
	id := v.r.PostFormValue("store")
	if id != "" && !v.who.Account.May(id) {
		return errNowhere
	}
	v.cookies.Set(v.w, storeCookie, id, yearSeconds)
	return v.to("/")
}

func (v *visit) chooseTheme() error {
	switch t := v.r.PostFormValue("theme"); t {
	case "light", "dark":
		v.cookies.Set(v.w, themeCookie, t, yearSeconds)
	default:
		v.cookies.Set(v.w, themeCookie, "", 0)
	}
	return v.to("/settings?note=saved")
}

// now returns the time in a market.
func (p *Pages) now(market string) time.Time { return p.in(p.o.Clock.Now().Std(), market) }

// in returns a time as clocks in a market show it.
func (p *Pages) in(t time.Time, market string) time.Time {
	zone := p.o.Markets[0].Zone
	for i := range p.o.Markets {
		if string(p.o.Markets[i].ID) == market {
			zone = p.o.Markets[i].Zone
		}
	}
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}

// icons are drawn on 24 by 24, with a line of 2.
var icons = map[string]string{
	"board":    `<rect x="3" y="4" width="7" height="16" rx="2"/><rect x="14" y="4" width="7" height="10" rx="2"/>`,
	"plus":     `<path d="M12 5v14M5 12h14"/>`,
	"history":  `<path d="M4 12a8 8 0 1 0 2.5-5.8M4 4v4h4M12 8v4l3 2"/>`,
	"store":    `<path d="M5 10v10h14V10M3.5 9 6 4h12l2.5 5c0 2.6-4.2 2.6-4.2 0 0 2.6-4.3 2.6-4.3 0 0 2.6-4.3 2.6-4.3 0 0 2.6-4.2 2.6-4.2 0M10 20v-5h4v5"/>`,
	"team":     `<circle cx="9" cy="8" r="3.5"/><path d="M3 20c0-4 2.5-6 6-6s6 2 6 6M16 5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .8 3 2.6 3 5.5"/>`,
	"settings": `<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
	"robot":    `<rect x="4" y="7" width="16" height="10" rx="4"/><path d="M17 7V3"/><circle cx="8.5" cy="19" r="2"/><circle cx="15.5" cy="19" r="2"/>`,
	"phone":    `<path d="M6 3h3l2 5-2.5 1.5a12 12 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3C10 21 3 14 3 6a3 3 0 0 1 3-3z"/>`,
	"print":    `<path d="M7 8V3h10v5M7 17H4v-7a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v7h-3M7 14h10v7H7z"/>`,
	"bell":     `<path d="M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4"/>`,
	"clock":    `<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>`,
	"link":     `<path d="M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"/>`,
	"more":     `<circle cx="5" cy="12" r="1"/><circle cx="12" cy="12" r="1"/><circle cx="19" cy="12" r="1"/>`,
}

// functions are what templates may call.
func (p *Pages) functions() template.FuncMap {
	return template.FuncMap{
		"asset": func(name string) string { return p.assets.Path(name) },
		"at":    p.at,
		"icon": func(name string) template.HTML {
			return template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">` + icons[name] + `</svg>`) //nolint:gosec // G203: of the table above only
		},
		"state": func(s string) string { return wordsOfStates[s] },
		"tone":  func(s string) string { return tones[s] },
		"money": money,
		"pair":  func(a, b any) [2]any { return [2]any{a, b} },
		"secret": func(text, oldEnd string, again bool) map[string]any {
			return map[string]any{"Secret": text, "OldEnd": oldEnd, "Again": again}
		},
		"cause": cause,
	}
}
