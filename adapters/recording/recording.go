// Package recording reads, writes, inspects, scrubs and replays recordings of
// partner traffic. A recording is JSON lines, one request each, ordered by time:
//
//	{"at": "2026-06-12T11:00:00.000Z", "partner": "acme", "method": "POST", "path": "/drive/v2/quotes", "headers": {…}, "body": {…}}
//
// A body that is no JSON, as partners send it now and then, is the string
// "body_raw" in place of "body". What the requests mean is not known here.
package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"footway/core/clock"
)

// Request is one recorded request.
type Request struct {
	At      clock.Time
	Partner string
	Method  string
	Path    string // with the query
	Headers map[string]string
	Body    []byte // as it was sent; nil if there was none
	Line    int    // where it was read, from 1; 0 if it was not
}

// wire is a request as it stands in a file.
type wire struct {
	At      string            `json:"at"`
	Partner string            `json:"partner"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	Raw     *string           `json:"body_raw,omitempty"`
}

// Limits of a request.
const (
	MaxLine    = 1 << 20 // bytes of a line
	maxPartner = 100     // bytes of a partner's name
	maxPath    = 4096    // bytes
)

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// request checks w and turns it into a request.
func (w *wire) request() (Request, error) {
	at, err := time.Parse(time.RFC3339Nano, w.At)
	switch {
	case err != nil:
		return Request{}, fmt.Errorf("at: %.40q is no time; want one such as 2026-06-12T11:00:00.000Z", w.At)
	case w.Partner == "" || len(w.Partner) > maxPartner:
		return Request{}, fmt.Errorf("partner: want 1 to %d bytes", maxPartner)
	case w.Method == "" || strings.Trim(w.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return Request{}, fmt.Errorf("method: %.40q is none; want one such as POST", w.Method)
	case !strings.HasPrefix(w.Path, "/") || len(w.Path) > maxPath:
		return Request{}, fmt.Errorf("path: %.40q is none; want one such as /drive/v2/quotes", w.Path)
	case w.Body != nil && w.Raw != nil:
		return Request{}, fmt.Errorf("both body and body_raw; want one of them")
	}
	e := Request{At: clock.Of(at), Partner: w.Partner, Method: w.Method, Path: w.Path, Headers: w.Headers, Body: w.Body}
	if w.Raw != nil {
		e.Body = []byte(*w.Raw)
	}
	return e, nil
}

// Writer writes a recording.
type Writer struct{ w io.Writer }

// NewWriter returns a writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w} }

// Write writes a request as one line, in one call of the underlying writer, without
// the headers that carry secrets. A body that is no JSON is written as text; bytes
// that are not UTF-8 are lost.
func (w *Writer) Write(e Request) error {
	out := wire{At: e.At.Std().Format(timeLayout), Partner: e.Partner, Method: e.Method, Path: e.Path, Headers: harmless(e.Headers)}
	switch {
	case len(e.Body) == 0:
	case json.Valid(e.Body):
		out.Body = e.Body
	default:
		raw := string(e.Body)
		out.Raw = &raw
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write %s %s: %w", e.Method, e.Path, err)
	}
	if line.Len() > MaxLine {
		return fmt.Errorf("write %s %s: the line has %d bytes; want at most %d", e.Method, e.Path, line.Len(), MaxLine)
	}
	if _, err := w.w.Write(line.Bytes()); err != nil {
		return fmt.Errorf("write %s %s: %w", e.Method, e.Path, err)
	}
	return nil
}

// harmless returns headers without those that carry secrets.
func harmless(headers map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range headers {
		lower := strings.ToLower(name)
		if !slices.ContainsFunc([]string{"auth", "cookie", "token", "secret", "signature", "key"}, func(s string) bool { return strings.Contains(lower, s) }) {
			kept[name] = value
		}
	}
	return kept
}
