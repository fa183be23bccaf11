// Package recipient is the page behind every tracking link: where the delivery is, when it
// comes, what to do when it is there, and the button that opens the robot. It knows
// nothing but the public API of Deliveries, to which it shows the secret of the link: who has the
// link has the delivery, and nobody else.
package recipient

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"

	"footway/adapters/pages/kit"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/market"
)

//go:embed page.html assets
var files embed.FS

// Options say what the pages work with. API, Delivery and Log are required.
type Options struct {
	// API is where Deliveries' REST API is, such as http://deliveries:8082.
	API *url.URL
	// Transport calls the API; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Delivery returns which delivery a link's secret names, or false if it is none. It need not
	// check whether the secret is genuine: the API does.
	Delivery func(token string) (delivery.ID, bool)
	// Path is where the pages are, without a slash at its end; "" is /r.
	Path string
	// Map is the address of the map's module for browsers; "" shows no map. Tiles is where its tiles are.
	Map, Tiles string
	// Zone returns the time zone of a market; nil is UTC.
	Zone func(market.ID) *time.Location
	// Phone is whom recipients may call, "" is nobody.
	Phone string
	// Secure says that browsers come by https only.
	Secure bool
	Clock  clock.Clock
	Log    *slog.Logger
}

// Pages serves the pages of recipients. It is safe for concurrent use.
type Pages struct {
	o      Options
	all    http.Handler
	page   *template.Template
	proxy  *httputil.ReverseProxy
	client *http.Client
	assets *kit.Assets
}

// New returns the pages.
func New(o Options) (*Pages, error) {
	if o.API == nil || o.Delivery == nil || o.Log == nil || o.Clock == nil {
		return nil, errors.New("recipient: API, Delivery, Clock and Log are required")
	}
	if o.Path == "" {
		o.Path = "/r"
	}
	if api := *o.API; api.Path == "" { // or what is joined to it would not begin with a slash
		api.Path = "/"
		o.API = &api
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Zone == nil {
		o.Zone = func(market.ID) *time.Location { return time.UTC }
	}
	p := &Pages{o: o, client: &http.Client{Transport: o.Transport, Timeout: callTime}}
	own, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	if p.assets, err = kit.NewAssets(o.Path+"/assets", own); err != nil {
		return nil, err
	}
	p.page, err = template.New("page.html").Funcs(template.FuncMap{"asset": p.assets.Path}).ParseFS(files, "page.html")
	if err != nil {
		return nil, err
	}
	p.proxy = p.newProxy()
	p.all = kit.Protect(p.routes(), kit.Options{Secure: o.Secure, MaxBody: 4 << 10, Log: o.Log})
	return p, nil
}

// callTime is how long the API may take.
const callTime = 8 * time.Second

func (p *Pages) routes() http.Handler {
	at, mux := p.o.Path, http.NewServeMux()
	mux.HandleFunc("GET "+at+"/{token}", p.whole)
	mux.HandleFunc("GET "+at+"/{token}/now", p.now)
	mux.HandleFunc("POST "+at+"/{token}/open", p.act(func(v *view) (string, any) {
		return "/handoff", map[string]any{"purpose": "unload", "want": "open", "pin": v.Delivery.UnloadPIN}
	}))
	mux.HandleFunc("POST "+at+"/{token}/done", p.act(func(*view) (string, any) {
		return "/handoff", map[string]any{"purpose": "unload", "want": "confirm"}
	}))
	mux.HandleFunc("POST "+at+"/{token}/cannot-come", p.act(func(*view) (string, any) { return "/cannot-come", struct{}{} }))
	mux.HandleFunc("GET "+at+"/{token}/events", p.passed("/events?robot=true&after="))
	mux.HandleFunc("GET "+at+"/{token}/track", p.passed("/track"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, at+"/assets/") {
			p.assets.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Referrer-Policy", "no-referrer") // the address is a secret
		w.Header().Set("X-Robots-Tag", "noindex")
		mux.ServeHTTP(w, r)
	})
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.all.ServeHTTP(w, r) }

// whole answers with the page.
func (p *Pages) whole(w http.ResponseWriter, r *http.Request) {
	v, err := p.look(r)
	p.show(w, r, "page", v, err)
}

// now answers with the part of the page that changes.
func (p *Pages) now(w http.ResponseWriter, r *http.Request) {
	v, err := p.look(r)
	p.show(w, r, "now", v, err)
}

// show renders a view, or what went wrong.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, name string, v *view, err error) {
	status := http.StatusOK
	if err != nil {
		status, v.Problem = p.problem(r, err), problemOf(err)
	}
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, name, v); err != nil {
		p.o.Log.ErrorContext(r.Context(), "a recipient's page could not be made", "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.T.Lang)
	h.Set("Vary", "Accept-Language, Cookie")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // who went away needs no answer
}

// problem returns the status for an error, and logs what is ours to know.
func (p *Pages) problem(r *http.Request, err error) int {
	switch problemOf(err) {
	case expired:
		return http.StatusGone
	case unknown:
		return http.StatusNotFound
	}
	if r.Context().Err() == nil {
		p.o.Log.WarnContext(r.Context(), "a recipient's page could not be filled", "error", err)
	}
	return http.StatusServiceUnavailable
}

// act answers a button: it makes the call that to returns, and shows the page again with what came of it.
func (p *Pages) act(to func(*view) (path string, body any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.look(r)
		if err != nil {
			p.show(w, r, "now", v, err)
			return
		}
		path, body := to(v)
		said := p.call(r.Context(), r.PathValue("token"), http.MethodPost, v.path+path, body, nil)
		byScript := r.Header.Get("Accept") == "text/fragment"
		if said == nil && !byScript {
			http.Redirect(w, r, p.o.Path+"/"+r.PathValue("token"), http.StatusSeeOther)
			return
		}
		v, err = p.look(r)
		v.Said = v.T.said(said)
		v.Opening = v.Opening || said == nil && strings.HasSuffix(r.URL.Path, "/open")
		name := "page"
		if byScript {
			name = "now"
		}
		p.show(w, r, name, v, err)
	}
}

// passed hands a request to the API and its answer back, also as it comes.
func (p *Pages) passed(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, ok := p.o.Delivery(r.PathValue("token"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		p.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), targetKey{}, target{p.ref(id) + path, r.PathValue("token")})))
	}
}

// small gives the proxy small buffers: a stream keeps its own for as long as it lasts, and its events are short.
type small struct{}

// Get implements httputil.BufferPool.
func (small) Get() []byte { return make([]byte, 2<<10) }

// Put implements httputil.BufferPool.
func (small) Put([]byte) {}

type targetKey struct{}

type target struct{ path, token string }

func (p *Pages) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: p.o.Transport, FlushInterval: -1, BufferPool: small{},
		Rewrite: func(r *httputil.ProxyRequest) {
			to, _ := r.In.Context().Value(targetKey{}).(target)
			path, query, stream := strings.Cut(to.path, "?")
			if n, err := strconv.ParseUint(r.In.URL.Query().Get("after"), 10, 32); stream && err == nil {
				query += strconv.FormatUint(n, 10)
			}
			r.Out.URL = p.o.API.JoinPath(path)
			r.Out.URL.RawQuery = query
			r.Out.Host = p.o.API.Host
			last := r.In.Header.Get("Last-Event-Id")
			r.Out.Header = http.Header{"Authorization": {"Bearer " + to.token}, "Accept": r.In.Header["Accept"]}
			if last != "" {
				r.Out.Header.Set("Last-Event-Id", last)
			}
		},
		ModifyResponse: func(a *http.Response) error {
			kind := a.Header.Get("Content-Type")
			a.Header = http.Header{"Content-Type": {kind}} // the rest is between us and the API
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				p.o.Log.WarnContext(r.Context(), "the API did not answer a recipient's page", "error", err)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		ErrorLog: slog.NewLogLogger(p.o.Log.Handler(), slog.LevelDebug),
	}
}

// ref returns the path of a delivery on the API.
func (p *Pages) ref(id delivery.ID) string { return "/v1/deliveries/" + url.PathEscape(string(id)) }

// discard reads what is left of a body, so that the connection can be used again.
func discard(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, 64<<10))
	_ = body.Close()
}
