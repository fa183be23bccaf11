package recording

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/fault"
)

// Reader reads a recording one request at a time.
type Reader struct {
	buf      *bufio.Reader
	line     int
	bytes    int64 // read so far
	last     clock.Time
	lastLine int
	anyOrder bool
	whole    bool // MaxLines and MaxBytes hold
}

// NewReader returns a reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{buf: bufio.NewReaderSize(r, 64<<10)} }

// Next returns the next request, or io.EOF. An error of the file is fault.Invalid
// and names the line and what would be right; after it, Next is of no use any more.
func (r *Reader) Next() (Request, error) {
	for {
		text, err := r.readLine()
		if err != nil {
			return Request{}, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		e, err := parseLine(text)
		if err != nil {
			return Request{}, r.bad("%w", err)
		}
		if !r.anyOrder && r.lastLine > 0 && e.At < r.last {
			return Request{}, r.bad("at %v is before line %d at %v; want the lines ordered by time; footway recordings sort does it", e.At, r.lastLine, r.last)
		}
		e.Line, r.last, r.lastLine = r.line, e.At, r.line
		return e, nil
	}
}

func (r *Reader) bad(format string, args ...any) error {
	return fault.New("recording.Read", fault.Invalid, "bad_recording", "line %d: %w", r.line, fmt.Errorf(format, args...))
}

// readLine returns the next line without its end. The slice is the caller's.
func (r *Reader) readLine() ([]byte, error) {
	r.line++
	var text []byte
	for {
		part, err := r.buf.ReadSlice('\n')
		text = append(text, part...)
		r.bytes += int64(len(part))
		switch {
		case len(text) > MaxLine:
			return nil, r.bad("longer than %d bytes", MaxLine)
		case r.whole && (r.bytes > MaxBytes || r.line > MaxLines && len(text) > 0):
			return nil, r.bad("the recording has more than %d lines or %d MiB; want it cut into several", MaxLines, MaxBytes>>20)
		case err == nil || errors.Is(err, io.EOF) && len(text) > 0:
			return bytes.TrimRight(text, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		default:
			return nil, fmt.Errorf("recording: line %d: %w", r.line, err)
		}
	}
}

// parseLine reads one line. Keys that are not known are refused: with a
// misspelt one a request would be replayed without its body.
func parseLine(text []byte) (Request, error) {
	var w wire
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return Request{}, fmt.Errorf("%s; want an object with at, partner, method, path, headers, and body or body_raw", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Request{}, errors.New("more than one JSON value; want one on a line")
	}
	return w.request()
}

// Limits of a recording that is read whole, so that a wrong file cannot take all
// memory. Inspect and Scrub read request by request and have none.
const (
	MaxLines = 1_000_000
	MaxBytes = 64 << 20
)

// Read returns all requests of a recording of at most MaxLines lines and MaxBytes bytes.
func Read(r io.Reader) ([]Request, error) { return readAll(NewReader(r)) }

// ReadSorted returns all requests of a recording whose lines are in any order,
// ordered by time, and those of one time as they stand in the file.
func ReadSorted(r io.Reader) ([]Request, error) {
	reader := NewReader(r)
	reader.anyOrder = true
	all, err := readAll(reader)
	slices.SortStableFunc(all, func(a, b Request) int { return cmp.Compare(a.At, b.At) })
	return all, err
}

func readAll(r *Reader) ([]Request, error) {
	r.whole = true
	var all []Request
	for {
		e, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, e)
	}
}
