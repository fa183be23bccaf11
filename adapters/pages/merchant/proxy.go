package merchant

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
)

// Our scripts call the public API through us, since browsers hold no token of it. This is all that they may.
var passed = []struct{ method, pattern string }{
	{http.MethodPost, "/v1/markets/{market}/address-searches"},
	{http.MethodGet, "/v1/deliveries/{ref}"},
	{http.MethodGet, "/v1/deliveries/{ref}/events"},
	{http.MethodGet, "/v1/deliveries/{ref}/track"},
	{http.MethodGet, "/v1/deliveries/{ref}/updates"},
	{http.MethodGet, "/openapi.json"},
}

// mayPass reports whether a call is one that scripts may make.
func mayPass(method, path string) bool {
	for _, p := range passed {
		if method == p.method && fits(p.pattern, path) {
			return true
		}
	}
	return false
}

// fits reports whether a path has the segments of a pattern.
func fits(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if named := strings.HasPrefix(want[i], "{"); named && have[i] == "" || !named && want[i] != have[i] {
			return false
		}
	}
	return true
}

type passKey struct{}

// passOn hands a call on to the API, with a pass for who is signed in.
func (p *Pages) passOn(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, p.at("/api"))
	if !mayPass(r.Method, path) || strings.Contains(path, "..") {
		http.NotFound(w, r)
		return
	}
	v, err := p.enter(w, r)
	if err != nil {
		http.Error(w, "signed out", http.StatusUnauthorized)
		return
	}
	ctx, cancel := p.untilDrained(r.Context())
	defer cancel()
	if strings.HasSuffix(path, "/events") {
		leave, err := p.streams.enter(v.who.Account.ID)
		if err != nil {
			http.Error(w, "too many pages are open", statusOf(err))
			return
		}
		defer leave()
	}
	p.proxy.ServeHTTP(w, r.WithContext(context.WithValue(ctx, passKey{}, v.pass)))
}

func (p *Pages) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: p.o.Transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			pass, _ := r.In.Context().Value(passKey{}).(string)
			to := *p.o.API
			to.Path = strings.TrimSuffix(to.Path, "/") + strings.TrimPrefix(r.In.URL.Path, p.at("/api"))
			to.RawQuery = r.In.URL.RawQuery
			r.Out.URL = &to
			r.Out.Host = p.o.API.Host
			head := http.Header{"Authorization": {"Bearer " + pass}}
			for _, name := range []string{"Accept", "Content-Type", "Last-Event-Id", "If-None-Match"} {
				if value := r.In.Header.Get(name); value != "" {
					head.Set(name, value)
				}
			}
			r.Out.Header = head
		},
		ModifyResponse: func(a *http.Response) error {
			head := http.Header{}
			for _, name := range []string{"Content-Type", "ETag", "Retry-After"} {
				if value := a.Header.Get(name); value != "" {
					head.Set(name, value)
				}
			}
			a.Header = head // the rest is between us and the API
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				p.o.Log.WarnContext(r.Context(), "the API did not answer a merchant's page", "error", err)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		ErrorLog: slog.NewLogLogger(p.o.Log.Handler(), slog.LevelDebug),
	}
}
