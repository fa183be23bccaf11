package integrations

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// service is one thing that the door does.
type service struct {
	name   string
	open   bool // without a token
	waits  bool // for events
	form   bool // its body is a form
	handle func(v *visit, ctx context.Context, body []byte) (Answer, error)
}

// serviceOf returns what a path leads to.
func serviceOf(d *Door, r *http.Request) (service, error) {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(path, "/drive/") || strings.HasPrefix(path, "/developer/") {
		return service{name: "drive", handle: (*visit).drive}, nil
	}
	if d.Uber != nil && tongueOf(r) == uberTongue {
		return service{name: "uber", handle: (*visit).uber}, nil
	}
	type door struct {
		method string
		service
	}
	var found *door
	switch {
	case path == "/events":
		found = &door{http.MethodGet, service{name: "events", waits: r.URL.Query().Has("wait"), handle: (*visit).events}}
	case path == "/events/replay":
		found = &door{http.MethodPost, service{name: "replay", handle: (*visit).replay}}
	case path == "/oauth/v2/token" && d.Tokens != nil:
		found = &door{http.MethodPost, service{name: "token", open: true, form: true, handle: (*visit).token}}
	}
	switch {
	case found == nil:
		return service{}, nothingHere()
	case found.method != r.Method:
		return service{}, &problem{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {found.method}}, Code: codeMethod, Message: "this path takes " + found.method}
	}
	return found.service, nil
}

// maxTarget is the longest path with query that is looked at, in bytes.
const maxTarget = 2048

// checkTarget refuses request lines that somebody on the way might read in another way than we do.
func checkTarget(r *http.Request) error {
	if r.URL.Scheme != "" || r.URL.Host != "" || r.URL.Opaque != "" || len(r.RequestURI) > maxTarget {
		return invalid("path", "want a path of at most 2048 bytes")
	}
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") || r.URL.RawPath != "" && r.URL.RawPath != path {
		return nothingHere()
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		text, err := url.PathUnescape(segment)
		if err != nil || text == "" || text == "." || text == ".." || !utf8.ValidString(text) || strings.ContainsFunc(text, odd) {
			return nothingHere()
		}
	}
	if strings.ContainsAny(r.URL.RawQuery, "#;\x00") {
		return invalid("query", "it holds characters that do not belong there")
	}
	return nil
}

// odd reports whether no segment of a path of ours has r.
func odd(r rune) bool { return r < ' ' || r == 0x7f || r == '/' || r == '\\' }

// requestID returns the id that a request brought, if it looks like one, or a new one.
func requestID(r *http.Request) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if id := r.Header.Get("X-Request-Id"); len(id) >= 8 && len(id) <= 64 && strings.Trim(id, letters) == "" {
		return id
	}
	var b [12]byte
	rand.Read(b[:]) // which never fails
	return hex.EncodeToString(b[:])
}

// body reads a request's body.
func (v *visit) body(s service) ([]byte, error) {
	if v.r.Header.Get("Content-Encoding") != "" {
		return nil, unsupported("content-encoding: bodies are taken as they are, not compressed")
	}
	if v.r.ContentLength > v.d.o.Body {
		v.w.Header().Set("Connection", "close")
		return nil, tooLarge()
	}
	control := http.NewResponseController(v.w)
	if err := control.SetReadDeadline(time.Now().Add(v.d.o.BodyTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, broken(err)
	}
	b, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, v.d.o.Body))
	if err != nil {
		v.w.Header().Set("Connection", "close")
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, tooLarge()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, &problem{status: http.StatusRequestTimeout, Code: codeValidation, Message: "the body took too long to arrive"}
		}
		return nil, invalid("body", "it broke off")
	}
	// A long poll must not end because nothing more is read.
	if err := control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, broken(err)
	}
	if len(b) == 0 {
		return b, nil
	}
	want := "application/json"
	if s.form {
		want = "application/x-www-form-urlencoded"
	}
	types := v.r.Header.Values("Content-Type")
	if len(types) != 1 {
		return nil, unsupported("content-type: want " + want)
	}
	kind, params, err := mime.ParseMediaType(types[0])
	if charset, there := params["charset"]; err != nil || kind != want || there && !strings.EqualFold(charset, "utf-8") {
		return nil, unsupported("content-type: want " + want + " in UTF-8")
	}
	return b, nil
}

func tooLarge() *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, Code: codeValidation, Message: "the body is too large", FieldErrors: []fieldError{{"body", "too large"}}}
}

func unsupported(text string) *problem {
	return &problem{status: http.StatusUnsupportedMediaType, Code: codeValidation, Message: text}
}

func (v *visit) token(ctx context.Context, body []byte) (Answer, error) {
	return v.d.guard.issueToken(ctx, v.r, body)
}
