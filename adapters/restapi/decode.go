package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"footway/core/fault"
)

// MaxBody is how large a request's body may be, in bytes.
const MaxBody = 64 << 10

// maxDepth is how deep a body may be nested; ours have six levels.
const maxDepth = 16

func invalid(reason, format string, args ...any) error {
	return fault.New("restapi", fault.Invalid, reason, format, args...)
}

// readBody reads the body of a request that has one.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if mediaType(r.Header.Get("Content-Type")) != jsonType {
		return nil, invalid(reasonContentType, "content-type: want %s", jsonType)
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, invalid(reasonContentType, "content-encoding: bodies are taken as they are, not compressed")
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err == nil {
		return b, nil
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, invalid(reasonTooLarge, "the body is larger than %d bytes", MaxBody)
	}
	w.Header().Set("Connection", "close")
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, invalid(reasonSlow, "the body took too long to arrive")
	}
	return nil, invalid(reasonBadBody, "the body broke off")
}

// noBody refuses a body where none is wanted.
func noBody(r *http.Request) error {
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return invalid(reasonBadBody, "%s takes no body", r.Method)
	}
	return nil
}

// decode reads one JSON object into v: nothing unknown, nothing twice, nothing behind it.
func decode(body []byte, v any) error {
	if err := shape(body); err != nil {
		return invalid(reasonBadBody, "body: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return invalid(reasonBadBody, "body: %w", describe(err))
	}
	return nil
}

// describe says what is wrong with a body without the values that encoding/json repeats.
func describe(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("field %q: want %s", e.Field, wanted(e.Type.Kind().String()))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("field %s is unknown", clip(name, 60))
	}
	if errors.Is(err, errInstant) {
		return errInstant
	}
	return errors.New("it is not the JSON object that is wanted here")
}

// wanted names a kind of Go values in JSON's words.
func wanted(kind string) string {
	switch {
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "a whole number in range"
	case kind == "slice":
		return "an array"
	case kind == "struct", kind == "map":
		return "an object"
	case kind == "bool":
		return "true or false"
	}
	return "a string"
}

// maxMembers is how many fields an object may have; ours have two dozen.
const maxMembers = 64

// shape checks what encoding/json would let pass: names twice or in other
// letters, depth, broken UTF-8, another value than an object.
func shape(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("it is not UTF-8")
	}
	if start := bytes.TrimLeft(body, " \t\r\n"); len(start) == 0 || start[0] != '{' || !json.Valid(body) {
		return errors.New("want one JSON object")
	}
	var names [maxDepth][][]byte // of the objects that are open
	for i, depth := 0, -1; i < len(body); i++ {
		switch body[i] {
		case '{', '[':
			if depth++; depth == maxDepth {
				return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
			}
			names[depth] = names[depth][:0]
		case '}', ']':
			depth--
		case '"':
			text := quoted(body[i+1:])
			i += len(text) + 1
			if rest := bytes.TrimLeft(body[i+1:], " \t\r\n"); len(rest) == 0 || rest[0] != ':' {
				continue // a value
			}
			if err := member(text, names[depth]); err != nil {
				return err
			}
			names[depth] = append(names[depth], text)
		}
	}
	return nil
}

// quoted returns a string as it stands between its quotes, the first of which was read.
func quoted(rest []byte) []byte {
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i]
		}
	}
	return rest
}

// member checks the name of another field of an object.
func member(name []byte, before [][]byte) error {
	if len(bytes.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_")) > 0 {
		return fmt.Errorf("field %.60q is unknown", name)
	}
	if len(before) == maxMembers {
		return fmt.Errorf("an object has more than %d fields", maxMembers)
	}
	for _, b := range before {
		if bytes.Equal(b, name) {
			return fmt.Errorf("field %.60q is there twice", name)
		}
	}
	return nil
}

// query is a request's query, read with the names that it may have.
type query struct {
	values url.Values
	err    error
}

// readQuery reads a query that may have these names, each once; a name that
// ends in * may be there often.
func readQuery(r *http.Request, names ...string) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.err = invalid(reasonBadQuery, "the query is not well-formed")
		return q
	}
	for k, v := range values {
		often := allowed(names, k+"*")
		switch {
		case !often && !allowed(names, k):
			q.err = invalid(reasonBadQuery, "query: %.40q is unknown; want %s", k, strings.ReplaceAll(strings.Join(names, ", "), "*", ""))
		case !often && len(v) > 1:
			q.err = invalid(reasonBadQuery, "query: %s is there %d times", k, len(v))
		case !utf8.ValidString(strings.Join(v, "")):
			q.err = invalid(reasonBadQuery, "query: %s is not UTF-8", k)
		}
	}
	return q
}

func allowed(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func (q *query) text(name string) string { return q.values.Get(name) }

// number returns a whole number, and what is meant if it is not there.
func (q *query) number(name string, missing int) int {
	text, there := q.values[name]
	if !there {
		return missing
	}
	n, err := strconv.Atoi(text[0])
	if err != nil && q.err == nil {
		q.err = invalid(reasonBadQuery, "query: %s: want a whole number", name)
	}
	return n
}
