// Package kit is what all pages have in common: files that browsers keep for ever, headers that let nothing
// in from elsewhere, cookies, and the look. It knows neither merchants nor recipients.
package kit

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
)

//go:embed assets
var own embed.FS

// Own are the files of the kit itself: kit.css, with the tokens and parts of all pages, and icon.svg.
func Own() fs.FS {
	sub, err := fs.Sub(own, "assets")
	if err != nil {
		panic("kit: the embedded folder assets is not there") // it was there when this was compiled
	}
	return sub
}

// kinds are the media types of assets.
var kinds = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".txt": "text/plain; charset=utf-8",
}

// Assets are files that pages load. Each is served under a path that names what all of them hold, so
// that browsers keep it for ever and modules find each other by relative paths.
type Assets struct {
	prefix string
	files  map[string]*asset
}

type asset struct {
	kind       string
	plain, zip []byte
}

// NewAssets takes the files of some folders in, to be served under a path such as /assets. Later folders win.
func NewAssets(under string, folders ...fs.FS) (*Assets, error) {
	a := &Assets{files: map[string]*asset{}}
	sum := sha256.New()
	for _, folder := range folders {
		err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			kind, ok := kinds[path.Ext(name)]
			if !ok {
				return fmt.Errorf("kit: %s: a file of an unknown kind", name)
			}
			body, err := fs.ReadFile(folder, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(sum, "%s %d\n", name, len(body))
			sum.Write(body)
			zip, err := packed(body)
			a.files[name] = &asset{kind: kind, plain: body, zip: zip}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	a.prefix = under + "/" + hex.EncodeToString(sum.Sum(nil)[:8]) + "/"
	return a, nil
}

func packed(body []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// Path returns where a file is served. It panics for one that there is not: a template's mistake.
func (a *Assets) Path(name string) string {
	if a.files[name] == nil {
		panic("kit: there is no asset " + name)
	}
	return a.prefix + name
}

// ServeHTTP implements http.Handler.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, a.prefix)
	f := a.files[name]
	if !ok || f == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := f.plain
	if len(f.zip) < len(f.plain) && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.zip
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who went away needs no answer
	}
}

// policy lets a page load what is ours, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; " +
	"font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Options say how pages are protected.
type Options struct {
	// FormsTo are origins to which a form may lead, beside our own, such as an identity provider's.
	FormsTo []string
	// Secure says that browsers come by https only.
	Secure bool
	// Log is told of handlers that panic; required.
	Log *slog.Logger
	// MaxBody is how long a request's body may be, in bytes; 0 is 64 KiB.
	MaxBody int64
}

// Protect wraps pages: it sets the headers that browsers guard them by, refuses what another site
// sends in a visitor's name, and bodies that are too long. A handler that
// panics is logged, and answered for.
func Protect(h http.Handler, o Options) http.Handler {
	cross := http.NewCrossOriginProtection()
	rules := policy
	if len(o.FormsTo) > 0 {
		rules = strings.Replace(rules, "form-action 'self'", "form-action 'self' "+strings.Join(o.FormsTo, " "), 1)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 10
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", rules)
		head.Set("Referrer-Policy", "same-origin")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		head.Set("Cache-Control", "no-store")
		if o.Secure {
			head.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if err := cross.Check(r); err != nil {
			http.Error(w, "This request came from another site.", http.StatusForbidden)
			return
		}
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, o.MaxBody)
		}
		began := &answer{ResponseWriter: w}
		defer began.crashed(r, o.Log)
		h.ServeHTTP(began, r)
	})
}

// answer knows whether anything of it has left.
type answer struct {
	http.ResponseWriter
	left bool
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	a.left = true
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.left = true
	return a.ResponseWriter.Write(b)
}

// crashed takes up a panic.
func (a *answer) crashed(r *http.Request, log *slog.Logger) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	log.ErrorContext(r.Context(), "a page panicked", "page", r.Pattern, "panic", p, "stack", string(debug.Stack()))
	if a.left {
		panic(http.ErrAbortHandler) // half a page must not look like a whole one
	}
	http.Error(a, "Something went wrong here. It was written down; try again, or call us.", http.StatusInternalServerError)
}

// Show answers with a page. Nothing of it leaves before all of it is made.
func Show(w http.ResponseWriter, t *template.Template, name string, status int, data any) error {
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // who went away needs no answer
	return nil
}

// Cookies makes cookies that only our own pages get, and no script.
type Cookies struct{ Secure bool }

// name returns what a cookie is called: where there is TLS, so that no other host and no plain page can set it.
func (c Cookies) name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Set sets a cookie for so many seconds; 0 or less forgets it.
func (c Cookies) Set(w http.ResponseWriter, name, value string, seconds int) {
	if seconds <= 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: c.name(name), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// Get returns what a cookie holds, "" if it is not there.
func (c Cookies) Get(r *http.Request, name string) string {
	found, err := r.Cookie(c.name(name))
	if err != nil {
		return ""
	}
	return found.Value
}
