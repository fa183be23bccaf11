// Package merchant is the pages of merchants: the board of a shop, orders, the robot at the door, the
// past, stores and people. It knows nothing of deliveries but the public API of Deliveries, which
// it calls with a pass for whoever is signed in: what a button does, a program could do too.
package merchant

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"footway/adapters/pages/kit"
	"footway/core/account"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
)

//go:embed html assets
var files embed.FS

// Market is a market in which stores may be.
type Market struct {
	ID   market.ID
	Zone *time.Location
}

// Provider is an identity provider with which people may sign in.
type Provider interface {
	// Begin returns where to send somebody who wants to sign in, and what its browser must keep until it comes back.
	Begin(ctx context.Context) (to, kept string, err error)
	// Finish returns whom the provider vouches for, from what it sent back with the browser. It
	// fails with a fault.Forbidden error if that is nobody, or what it sent does not belong to kept.
	Finish(ctx context.Context, kept string, answer url.Values) (account.Proof, error)
	// Name is what it is called on the button.
	Name() string
	// Origin is where Begin sends people, such as https://login.example.
	Origin() string
}

// Options say what the pages work with. API, Accounts, Pass, Markets, Clock and Log are required.
type Options struct {
	// API is where Deliveries' REST API is, such as http://deliveries:8082.
	API *url.URL
	// Webhooks is where Integrations' API of webhooks is; nil: the pages have none.
	Webhooks *url.URL
	// Transport calls the APIs; nil is http.DefaultTransport.
	Transport http.RoundTripper
	Accounts  *account.Service
	// Pass returns a bearer token of the API for somebody who works in a store; "" is all stores of the business.
	Pass    func(a *account.Account, store string) (string, error)
	Markets []Market
	// Path is where the pages are, without a slash at its end; "" is /merchant.
	Path string
	// Map is the address of the map's module for browsers; "" shows no map. Tiles is where its tiles are.
	Map, Tiles string
	// Support is the phone number that merchants may call; "" is nobody.
	Support string
	// Provider is who else says who people are; nil is nobody.
	Provider Provider
	// Guest is an account that anybody may sign in as with one click, for demonstrations; "" is none.
	Guest func(ctx context.Context) (token string, err error)
	// Secure says that browsers come by https only.
	Secure bool
	// Proxies says that a proxy before us writes the browser's address into X-Forwarded-For, last.
	Proxies bool
	Clock   clock.Clock
	Log     *slog.Logger
}

// Pages serves the pages of merchants. It is safe for concurrent use.
type Pages struct {
	o       Options
	mux     *http.ServeMux
	handler http.Handler
	html    *template.Template
	assets  *kit.Assets
	cookies kit.Cookies
	proxy   *httputil.ReverseProxy
	api     *api
	hooks   *api // of webhooks; nil if there is none

	streams  streams
	draining chan struct{}
	drain    sync.Once
	places   places
}

// New returns the pages.
func New(o Options) (*Pages, error) {
	if o.API == nil || o.Accounts == nil || o.Pass == nil || o.Clock == nil || o.Log == nil || len(o.Markets) == 0 {
		return nil, errors.New("merchant: API, Accounts, Pass, Markets, Clock and Log are required")
	}
	if o.Path == "" {
		o.Path = "/merchant"
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	p := &Pages{o: o, mux: http.NewServeMux(), cookies: kit.Cookies{Secure: o.Secure}, draining: make(chan struct{})}
	p.api = &api{base: o.API, client: &http.Client{Transport: o.Transport}}
	if o.Webhooks != nil {
		p.hooks = &api{base: o.Webhooks, client: p.api.client}
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	if p.assets, err = kit.NewAssets(o.Path+"/assets", kit.Own(), assets); err != nil {
		return nil, err
	}
	p.html, err = template.New("").Funcs(p.functions()).ParseFS(files, "html/*.html")
	if err != nil {
		return nil, fmt.Errorf("merchant: %w", err)
	}
	p.proxy = p.newProxy()
	p.routes()
	guard := kit.Options{Secure: o.Secure, Log: o.Log}
	if o.Provider != nil {
		guard.FormsTo = []string{o.Provider.Origin()}
	}
	p.handler = kit.Protect(p.mux, guard)
	return p, nil
}

// Drain ends what waits for news, so that a server can stop.
func (p *Pages) Drain() { p.drain.Do(func() { close(p.draining) }) }

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

func (p *Pages) routes() {
	at := p.o.Path
	p.mux.Handle("GET "+at+"/assets/", p.assets)
	p.mux.HandleFunc("GET "+at+"/sign-in", p.signInPage)
	p.mux.HandleFunc("POST "+at+"/sign-in", p.signIn)
	p.mux.HandleFunc("POST "+at+"/sign-in/guest", p.signInGuest)
	p.mux.HandleFunc("POST "+at+"/sign-in/provider", p.signInProvider)
	p.mux.HandleFunc("GET "+at+"/sign-in/provider", p.signedInProvider)
	p.mux.HandleFunc("POST "+at+"/sign-out", p.signOut)
	p.mux.HandleFunc("GET "+at+"/invitation/{token}", p.invitationPage)
	p.mux.HandleFunc("POST "+at+"/invitation/{token}", p.takeInvitation)
	for pattern, h := range map[string]func(*visit) error{
		"GET /{$}":                        (*visit).board,
		"GET /board/events":               (*visit).boardEvents,
		"POST /store":                     (*visit).chooseStore,
		"POST /theme":                     (*visit).chooseTheme,
		"GET /new":                        (*visit).newOrder,
		"POST /new":                       (*visit).quote,
		"POST /new/accept":                (*visit).accept,
		"GET /orders/{id}":                (*visit).order,
		"GET /orders/{id}/now":            (*visit).orderNow,
		"GET /orders/{id}/label.pdf":      (*visit).labelPDF,
		"GET /orders/{id}/label.zpl":      (*visit).labelZPL,
		"POST /orders/{id}/ready":         (*visit).ready,
		"POST /orders/{id}/open":          (*visit).open,
		"POST /orders/{id}/confirm":       (*visit).confirm,
		"POST /orders/{id}/cancel":        (*visit).cancel,
		"POST /orders/{id}/edit":          (*visit).edit,
		"GET /history":                    (*visit).history,
		"GET /history.csv":                (*visit).historyCSV,
		"GET /stores":                     (*visit).stores,
		"POST /stores/{store}":            (*visit).editStore,
		"GET /team":                       (*visit).team,
		"POST /team":                      (*visit).invite,
		"POST /team/{account}":            (*visit).editMember,
		"POST /team/{account}/invitation": (*visit).inviteAgain,
		"GET /settings":                   (*visit).settings,
		"POST /settings/password":         (*visit).changePassword,

		"GET /settings/webhooks":                 (*visit).webhooks,
		"POST /settings/webhooks":                (*visit).addWebhook,
		"GET /settings/webhooks/{webhook}":       (*visit).webhook,
		"POST /settings/webhooks/{webhook}/{do}": (*visit).doWebhook,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		p.mux.HandleFunc(method+" "+at+path, p.signedIn(h))
	}
	p.mux.HandleFunc(at+"/api/", p.passOn)
	p.mux.HandleFunc(at+"/", p.signedIn(func(*visit) error { return errNowhere }))
	p.mux.HandleFunc(at, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, at+"/", http.StatusSeeOther) })
}

// errNowhere is for addresses at which there is nothing.
var errNowhere = fault.New("merchant", fault.NotFound, "no_such_page", "there is no such page")

// visit is one request of somebody who is signed in.
type visit struct {
	*Pages
	w     http.ResponseWriter
	r     *http.Request
	ctx   context.Context
	who   account.SignedIn
	store string // the one that is looked at; "" is all
	pass  string
}

// callTime is how long a page may take that does not wait for news.
const callTime = 10 * time.Second

// signedIn answers who is signed in, and sends others to sign in.
func (p *Pages) signedIn(h func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.enter(w, r)
		if err == nil && !strings.HasSuffix(r.URL.Path, "/board/events") {
			ctx, cancel := context.WithTimeout(r.Context(), callTime)
			defer cancel()
			v.ctx = ctx
		}
		if err == nil {
			err = h(v)
		}
		if err != nil {
			v.trouble(err)
		}
	}
}

// enter finds out who makes a request.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request) (*visit, error) {
	v := &visit{Pages: p, w: w, r: r, ctx: r.Context()}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	var err error
	if v.who, err = p.o.Accounts.Who(ctx, p.cookies.Get(r, sessionCookie)); err != nil {
		return v, err
	}
	a := &v.who.Account
	v.store = p.cookies.Get(r, storeCookie)
	switch {
	case v.store != "" && a.May(v.store):
	case len(a.Stores) > 0:
		v.store = a.Stores[0]
	default:
		v.store = ""
	}
	limit := ""
	if len(a.Stores) > 0 {
		limit = v.store
	}
	v.pass, err = p.o.Pass(a, limit)
	return v, err
}

func (v *visit) admin() bool { return v.who.Account.Role == account.Admin }

// mustAdmin refuses who is none.
func (v *visit) mustAdmin() error {
	if v.admin() {
		return nil
	}
	return fault.New("merchant", fault.Forbidden, account.NotAdmin, "only admins may do this")
}

// at returns the address of a page.
func (p *Pages) at(path string) string { return p.o.Path + path }

// to sends the browser to another page.
func (v *visit) to(path string) error {
	http.Redirect(v.w, v.r, v.at(path), http.StatusSeeOther)
	return nil
}

// address returns where a request comes from.
func (p *Pages) address(r *http.Request) string {
	if p.o.Proxies {
		if all := r.Header.Values("X-Forwarded-For"); len(all) > 0 {
			last := all[len(all)-1]
			return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// byScript reports whether a page's own script asks, which wants the part that changes and not the page.
func (v *visit) byScript() bool { return v.r.Header.Get("Accept") == "text/fragment" }
