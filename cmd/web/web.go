// Package web serves the visualizer to browsers at /twin: a page, the program as
// WebAssembly, and nothing from elsewhere.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed page
var page embed.FS

//go:embed page/coming.html
var coming []byte

// The files that make twin-wasm builds.
const (
	program = "footway.wasm"
	loader  = "wasm_exec.js" // of the Go that built the program
)

// Options are what a handler can do without.
type Options struct {
	// Built has what make twin-wasm builds: footway.wasm.br, footway.wasm.gz and wasm_exec.js. Nil: what the
	// binary was built with, if it was.
	Built fs.FS
	// Coming says that Built is being built: who asks early is told so, and asks again.
	Coming bool
	// Market returns the map of the system that is watched, as a .fwnet file; nil: there is none.
	Market func() ([]byte, error)
	// Connect are further origins that the page may get run logs from, such as https://logs.example.com.
	Connect []string
	Log     *slog.Logger // nil: slog.Default
}

// Handler serves /twin and what is below it.
type Handler struct {
	o      Options
	mux    *http.ServeMux
	policy string

	mu     sync.Mutex
	marked map[string]string // tags of files by name and time
}

// New returns a handler of /twin.
func New(o Options) *Handler {
	if o.Built == nil {
		o.Built = embedded()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	h := &Handler{o: o, mux: http.NewServeMux(), marked: make(map[string]string)}
	// The program is compiled by the browser, which is all that wasm-unsafe-eval allows.
	h.policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; " +
		"connect-src " + strings.Join(append([]string{"'self'"}, o.Connect...), " ") + "; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
	h.mux.HandleFunc("GET /twin", func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, "index.html") })
	h.mux.HandleFunc("GET /twin/{file}", func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, r.PathValue("file")) })
	h.mux.HandleFunc("GET /twin/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/twin", http.StatusPermanentRedirect)
	})
	h.mux.HandleFunc("GET /twin/market.fwnet", h.market)
	return h
}

// Built reports whether there is a program to be served.
func (h *Handler) Built() bool {
	_, err := fs.Stat(h.o.Built, program+".gz")
	return err == nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", h.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.mux.ServeHTTP(w, r)
}

// types of the files, which no table of the machine's may change.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".wasm": "application/wasm",
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, name string) {
	kind, known := types[path.Ext(name)]
	switch {
	case !known:
		http.NotFound(w, r)
	case name == "index.html" && !h.Built():
		h.missing(w)
	case name == program:
		h.serveProgram(w, r, kind)
	case name == loader:
		h.send(w, r, h.o.Built, name, kind)
	default:
		h.send(w, r, page, "page/"+name, kind)
	}
}

// missing says what is not there, or not yet.
func (h *Handler) missing(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if h.o.Coming {
		w.Header().Set("Retry-After", "2")
		w.Header().Set("Content-Type", types[".html"])
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(coming) // the caller may be gone
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusNotImplemented)
	_, _ = io.WriteString(w, "This program was built without the visualizer.\n\nmake build builds it with the visualizer in it; make view builds the visualizer's window.\n") // the caller may be gone
}

// serveProgram sends the program in the best form that the browser takes.
func (h *Handler) serveProgram(w http.ResponseWriter, r *http.Request, kind string) {
	w.Header().Set("Vary", "Accept-Encoding")
	for _, x := range []struct{ coding, ending string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if _, err := fs.Stat(h.o.Built, program+x.ending); err == nil && accepts(r, x.coding) {
			w.Header().Set("Content-Encoding", x.coding)
			h.send(w, r, h.o.Built, program+x.ending, kind)
			return
		}
	}
	f, err := h.o.Built.Open(program + ".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close() //nolint:errcheck // it was only read
	z, err := gzip.NewReader(f)
	if err != nil {
		h.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	if _, err := io.Copy(w, z); err != nil { //nolint:gosec // it is our own
		h.o.Log.Debug("the program did not arrive", "error", err)
	}
}

// accepts reports whether the browser takes a coding.
func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == coding && strings.TrimSpace(weight) != "q=0" {
			return true
		}
	}
	return false
}

// send sends a file, or says that the browser has it.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, from fs.FS, name, kind string) {
	b, err := fs.ReadFile(from, name)
	if errors.Is(err, fs.ErrNotExist) {
		w.Header().Del("Content-Encoding")
		http.NotFound(w, r)
		return
	}
	if err != nil {
		h.fail(w, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", "no-cache") // it is asked each time whether it is still the same
	header.Set("ETag", h.tag(from, name, b))
	http.ServeContent(w, r, "", zeroTime, bytes.NewReader(b))
}

// tag returns what a file's content is known by. In a folder it may be built again.
func (h *Handler) tag(from fs.FS, name string, b []byte) string {
	if about, err := fs.Stat(from, name); err == nil {
		name += about.ModTime().String()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.marked[name]
	if !ok {
		sum := sha256.Sum256(b)
		t = fmt.Sprintf("%q", hex.EncodeToString(sum[:12]))
		h.marked[name] = t
	}
	return t
}

func (h *Handler) market(w http.ResponseWriter, r *http.Request) {
	if h.o.Market == nil {
		http.NotFound(w, r)
		return
	}
	b, err := h.o.Market()
	if err != nil {
		h.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-cache")
	sum := sha256.Sum256(b)
	w.Header().Set("ETag", fmt.Sprintf("%q", hex.EncodeToString(sum[:12])))
	http.ServeContent(w, r, "", zeroTime, bytes.NewReader(b))
}

func (h *Handler) fail(w http.ResponseWriter, err error) {
	h.o.Log.Error("the visualizer could not be served", "error", err)
	http.Error(w, "something went wrong here; the log says what", http.StatusInternalServerError)
}
