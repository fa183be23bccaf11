package restapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"footway/core/fault"
)

// Options are what all APIs have in common. The zero value lets nobody in.
type Options struct {
	Auth Auth
	Log  *slog.Logger // nil: nothing is logged
	// Route is told which route a request has, for metrics; nil: nobody is.
	Route  func(ctx context.Context, name string)
	Limits Limits
	// Timeout bounds what a request may take that does not wait for news; 0: 10 s.
	Timeout time.Duration
	// Look is how often what waits for news looks whether there are any that no Bell
	// told of, such as those of other replicas; 0: 3 s.
	Look time.Duration
	// Life is how long a stream lasts, after which its reader comes again; 0: 15 min.
	Life time.Duration
}

func (o Options) orDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	set := func(v *time.Duration, to time.Duration) {
		if *v == 0 {
			*v = to
		}
	}
	set(&o.Timeout, 10*time.Second)
	set(&o.Look, 3*time.Second)
	set(&o.Life, 15*time.Minute)
	return o
}

// route is one operation of an API.
type route struct {
	method    string
	path      string // as in the OpenAPI document
	operation string // its operationId
	class     class
	handle    func(w http.ResponseWriter, r *http.Request) error
}

// API answers the requests of one OpenAPI document. It is an http.Handler.
type API struct {
	o        Options
	routes   []route
	mux      *http.ServeMux
	gates    [classes]*gate
	document []byte // as JSON
	draining chan struct{}
	drain    sync.Once
}

// newAPI returns an API with an operation for its document added to those given.
func newAPI(o Options, document []byte, routes ...route) *API {
	a := &API{o: o.orDefaults(), routes: routes, mux: http.NewServeMux(), gates: newGates(o.Limits), document: document, draining: make(chan struct{})}
	a.routes = append(a.routes, route{http.MethodGet, "/openapi.json", "openapi", quick, a.openapi})
	paths := map[string]map[string]*route{}
	for i := range a.routes {
		r := &a.routes[i]
		if paths[r.path] == nil {
			paths[r.path] = map[string]*route{}
		}
		paths[r.path][r.method] = r
	}
	for path, methods := range paths {
		a.mux.Handle(path, a.resource(methods))
	}
	return a
}

// Drain ends what waits for news, so that a server can stop.
func (a *API) Drain() { a.drain.Do(func() { close(a.draining) }) }

func (a *API) openapi(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	return answer(w, r, a.document)
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx := received(r)
	s := &seen{ResponseWriter: w, template: "none"}
	r = r.WithContext(context.WithValue(ctx, seenKey{}, s))
	h := w.Header()
	h.Set(headerRequestID, RequestID(ctx))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	defer func() {
		if p := recover(); p != nil {
			a.crashed(s, r, p)
		}
		a.o.Log.LogAttrs(ctx, s.level(), "request", slog.String("method", method(r)), slog.String("route", s.template), slog.Int("status", s.status),
			slog.Int64("ms", time.Since(start).Milliseconds()), slog.Int64("bytes", s.bytes), slog.String("caller", s.caller), slog.String("reason", s.reason), slog.String("request_id", RequestID(ctx)))
	}()
	// A pattern of the mux is also the route's name in the log. No handler is
	// found for a path that means something else than it says.
	handler, pattern := http.Handler(http.HandlerFunc(a.unknown)), ""
	if honest(r.URL.EscapedPath()) {
		if found, p := a.mux.Handler(r); p != "" {
			handler, pattern = found, p
		}
	}
	if pattern != "" {
		s.template = pattern
		if a.o.Route != nil {
			a.o.Route(ctx, pattern)
		}
		a.mux.ServeHTTP(s, r)
		return
	}
	handler.ServeHTTP(s, r)
}

// method returns a request's method if it is one, for the log.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// honest reports whether a path is plain: no escapes, no empty segments, no dots that mean something.
func honest(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	for s := range strings.SplitSeq(rest, "/") {
		if !plain(strings.ReplaceAll(strings.ReplaceAll(s, ":", ""), oddly, "x")) {
			return false
		}
	}
	return true
}

// crashed answers a request whose handler panicked.
func (a *API) crashed(s *seen, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	a.o.Log.ErrorContext(r.Context(), "a handler panicked", "route", s.template, "request_id", RequestID(r.Context()), "panic", p, "stack", string(debug.Stack()))
	if s.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	writeProblem(s, r, fault.New("restapi", fault.Internal, "", "internal error"))
}

// unknown answers what no route is for. A stranger does not learn what there is.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	r, err := a.admit(r, "")
	if err == nil {
		err = fault.New("restapi", fault.NotFound, reasonNoSuchPath, "there is nothing at this path")
	}
	writeProblem(w, r, err)
}

// admit finds out who calls, and whether it may call an operation; "" is any.
func (a *API) admit(r *http.Request, operation string) (*http.Request, error) {
	if isPublic(operation) {
		return r, nil
	}
	c, err := a.o.Auth.caller(r)
	if err != nil {
		return r, err
	}
	r = r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
	if s, ok := r.Context().Value(seenKey{}).(*seen); ok {
		s.caller, s.polls = c.String(), operation == "listDecisions"
	}
	if operation != "" && !allows(operation, c) {
		return r, fault.New("restapi", fault.Forbidden, reasonNotAllowed, "%s may not call %s", c.Role, operation)
	}
	return r, nil
}

// resource answers all methods of one path.
func (a *API) resource(methods map[string]*route) http.Handler {
	allow := []string{http.MethodOptions}
	for m, r := range methods {
		allow = append(allow, m)
		if m == http.MethodGet && r.class == quick {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := r.Method
		if m == http.MethodHead && slices.Contains(allow, m) {
			m = http.MethodGet
		}
		if to, ok := methods[m]; ok {
			a.call(to, w, r)
			return
		}
		r, err := a.admit(r, "")
		switch {
		case err != nil:
		case m == http.MethodOptions:
			w.Header().Set("Allow", strings.Join(allow, ", "))
			w.WriteHeader(http.StatusNoContent)
			return
		default:
			w.Header().Set("Allow", strings.Join(allow, ", "))
			err = invalid(reasonMethod, "%s is not possible here; want one of %s", method(r), strings.Join(allow, ", "))
		}
		writeProblem(w, r, err)
	})
}

// call lets one operation answer.
func (a *API) call(to *route, w http.ResponseWriter, r *http.Request) {
	r, err := a.admit(r, to.operation)
	if err == nil {
		err = a.enter(to, w, r)
	}
	if err != nil {
		writeProblem(w, r, settled(err))
	}
}

func (a *API) enter(to *route, w http.ResponseWriter, r *http.Request) error {
	if err := a.gates[to.class].enter(r.Context()); err != nil {
		return err
	}
	defer a.gates[to.class].leave()
	if to.class == quick {
		ctx, cancel := context.WithTimeout(r.Context(), a.o.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	return to.handle(w, r)
}

// settled gives an error of a context its kind.
func settled(err error) error {
	_, ours := errors.AsType[*fault.Error](err)
	if !ours && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return &fault.Error{Op: "restapi", Kind: fault.Unavailable, Reason: reasonDeadline, Err: err}
	}
	return err
}

type seenKey struct{}

// seen is what the log says of an answer.
type seen struct {
	http.ResponseWriter
	template string
	caller   string
	reason   string // of a problem
	polls    bool   // it looks for news, as it does all the time
	status   int
	bytes    int64
}

// WriteHeader implements http.ResponseWriter.
func (s *seen) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *seen) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	n, err := s.ResponseWriter.Write(b)
	s.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *seen) level() slog.Level {
	if s.status >= http.StatusInternalServerError && s.status != http.StatusServiceUnavailable {
		return slog.LevelError
	}
	if s.polls && s.status < http.StatusBadRequest {
		return slog.LevelDebug // each looks again at once
	}
	return slog.LevelInfo
}
