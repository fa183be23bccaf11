package demo

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"footway/cmd/serve"
	"footway/core/delivery"
)

//go:embed start.html assets
var files embed.FS

var startPage = template.Must(template.ParseFS(files, "start.html"))

// visits are the deliveries that visitors ordered for themselves.
type visits struct {
	mu   sync.Mutex
	mine map[string]bool
	n    int
}

func (v *visits) add() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mine == nil {
		v.mine = map[string]bool{}
	}
	v.n++
	id := fmt.Sprintf("to-you-%d", v.n)
	v.mine[id] = true
	return id
}

func (v *visits) ordered(id string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mine[id]
}

// firstRobot is how long a visitor waits at most until a robot is free, as in the first moments.
const firstRobot = 45 * time.Second

// service returns where a service listens.
func (d *demo) service(name string) *url.URL {
	return &url.URL{Scheme: "http", Host: d.at[name].String()}
}

// server is the one server of all pages.
func (d *demo) server() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.start)
	mux.HandleFunc("GET /demo/{name}", d.asset)
	mux.HandleFunc("GET /demo/recipient", d.recipient)
	mux.HandleFunc("POST /demo/order", d.orderForVisitor)
	mux.Handle("/r/", d.pages)
	mux.Handle("/tiles/", d.cities)
	mux.Handle("/map/", d.module)
	mux.Handle("GET /metrics", d.passed("telemetry", ""))
	mux.Handle("GET /readyz", d.passed("telemetry", ""))
	for _, name := range []string{"deliveries", "dispatch", "integrations"} {
		mux.Handle("GET /api/"+name+"/openapi.json", d.passed(name, "/api/"+name))
		mux.HandleFunc("GET /api/"+name, d.docs(name))
	}
	mux.Handle("/v1/", d.passed("deliveries", ""))
	mux.Handle("/v1/webhooks", d.passed("integrations", ""))
	mux.Handle("/v1/webhooks/", d.passed("integrations", ""))
	mux.Handle("/drive/v2/", d.passed("integrations", ""))
	if d.at["merchant"] != nil {
		mux.Handle("/merchant", d.passed("merchant", ""))
		mux.Handle("/merchant/", d.passed("merchant", ""))
	}
	mux.Handle("/twin", d.twin)
	mux.Handle("/twin/", d.twin)
	mux.Handle("/v1/live", d.watched())
	mux.Handle("/v1/live/", d.watched())
	cross := http.NewCrossOriginProtection()
	return &http.Server{
		Handler: cross.Handler(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug),
	}
}

// passed hands requests on to a service, without a part of their path.
func (d *demo) passed(service, without string) http.Handler {
	to := d.service(service)
	return &httputil.ReverseProxy{FlushInterval: -1, ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug), Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
		r.Out.Host = r.In.Host // which says what is our own site
		r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, without)
		r.Out.URL.RawPath = ""
	}}
}

// watched hands on what the live twin asks. Whoever gets to the demo may watch it: it is a show.
func (d *demo) watched() http.Handler {
	to := d.service("telemetry")
	return &httputil.ReverseProxy{FlushInterval: -1, ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug), Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
		r.Out.Host = r.In.Host // which a browser's WebSocket must come from
		r.Out.Header.Set("Authorization", "Bearer "+os.Getenv(serve.EmbeddedOperator))
	}}
}

// safely says what our own small pages may load: only what is ours.
func safely(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// start answers with the start page.
func (d *demo) start(w http.ResponseWriter, r *http.Request) {
	safely(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	err := startPage.ExecuteTemplate(w, "start.html", map[string]any{
		"Robots": d.Scenario.Fleet.Robots, "Speed": d.Speed, "City": d.Network.Name, "Shop": d.shop().Name, "Twin": d.twin.Built(), "Coming": d.Twin != nil, "Merchant": d.at["merchant"] != nil,
		"Developer": d.key.Developer, "Key": d.key.ID, "Data": d.Data,
	})
	if err != nil && r.Context().Err() == nil {
		d.Log.Warn("the start page could not be sent", "error", err)
	}
}

func (d *demo) asset(w http.ResponseWriter, r *http.Request) {
	safely(w)
	http.ServeFileFS(w, r, files, "assets/"+r.PathValue("name"))
}

// orderForVisitor orders something for who pressed the button, and shows the page of its recipient.
func (d *demo) orderForVisitor(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), firstRobot)
	defer cancel()
	got, err := d.ordered(ctx, d.visitor.add)
	var link string
	if err == nil {
		link, err = d.link(ctx, got.ID)
	}
	if err != nil {
		d.Log.Warn("a visitor's order did not come about", "error", err)
		http.Error(w, "No robot is free just now. Go back and try again in a moment.", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, link, http.StatusSeeOther)
}

// recipient shows the page of somebody who waits for a delivery of the shop just now.
func (d *demo) recipient(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), firstRobot)
	defer cancel()
	all, err := d.people.Board(ctx, delivery.BoardQuery{Partner: shopID, Market: d.Market.ID, Limit: 50})
	var link string
	if err == nil {
		link, err = d.someLink(ctx, all)
	}
	if err != nil {
		d.Log.Info("there is no recipient to show", "error", err)
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, link, http.StatusSeeOther)
}

// someLink returns the link of the delivery that there is most to see of. Where there is none it orders something.
func (d *demo) someLink(ctx context.Context, all []delivery.Delivery) (string, error) {
	worth := map[delivery.State]int{delivery.ToDropoff: 9, delivery.Loaded: 8, delivery.AtDropoff: 7, delivery.ToPickup: 6, delivery.AtPickup: 5, delivery.Assigned: 4, delivery.Requested: 3, delivery.Delivered: 1}
	best := -1
	for i := range all {
		if worth[all[i].State] > 0 && (best < 0 || worth[all[i].State] > worth[all[best].State]) {
			best = i
		}
	}
	if best < 0 {
		got, err := d.ordered(ctx, d.daily)
		if err != nil {
			return "", err
		}
		return d.link(ctx, got.ID)
	}
	return d.link(ctx, all[best].ID)
}

// link returns the address of a delivery's page, as the API tells the shop.
func (d *demo) link(ctx context.Context, id delivery.ID) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.service("deliveries").JoinPath("v1/deliveries", string(id)).String(), nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+os.Getenv(serve.EmbeddedService))
	r.Header.Set("Footway-Partner", string(shopID))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = a.Body.Close() }() // it was read
	var found struct {
		TrackingURL string `json:"tracking_url"`
	}
	if err := json.NewDecoder(a.Body).Decode(&found); err != nil {
		return "", err
	}
	if found.TrackingURL == "" {
		return "", errors.New("the API tells no tracking URL")
	}
	u, err := url.Parse(found.TrackingURL)
	if err != nil {
		return "", err
	}
	return u.Path, nil // on whatever address this is reached at
}
