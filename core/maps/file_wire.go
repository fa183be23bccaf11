package maps

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// writer appends numbers and strings.
type writer struct{ b []byte }

func (w *writer) uint(v uint64)   { w.b = binary.AppendUvarint(w.b, v) }
func (w *writer) int(v int64)     { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) byte(v byte)     { w.b = append(w.b, v) }
func (w *writer) string(s string) { w.uint(uint64(len(s))); w.b = append(w.b, s...) }

// points writes each point as its difference to the one before, the first to from.
func (w *writer) points(from Point, ps []Point) {
	for _, p := range ps {
		w.int(int64(p.Lon) - int64(from.Lon))
		w.int(int64(p.Lat) - int64(from.Lat))
		from = p
	}
}

// reader reads what a writer wrote. After the first error it returns zeros.
type reader struct {
	b   []byte
	at  int
	err error
}

var errShort = errors.New("it ends too early")

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("byte %d of its content: "+format, append([]any{r.at}, args...)...)
	}
}

func (r *reader) uint() uint64 {
	v, size := binary.Uvarint(r.b[r.at:])
	return took(r, v, size)
}

func (r *reader) int() int64 {
	v, size := binary.Varint(r.b[r.at:])
	return took(r, v, size)
}

// took moves on by a number of size bytes.
func took[T uint64 | int64](r *reader, v T, size int) T {
	if size <= 0 {
		r.fail("no number there")
	}
	if r.err != nil {
		return 0
	}
	r.at += size
	return v
}

// uint32 reads a number that must fit an int32 that is not negative.
func (r *reader) uint32() int32 {
	v := r.uint()
	if v > math.MaxInt32 {
		r.fail("number %d: want at most %d", v, math.MaxInt32)
		return 0
	}
	return int32(v)
}

// int32 reads a number that must fit an int32.
func (r *reader) int32() int32 {
	v := r.int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		r.fail("number %d: want 32 bits", v)
		return 0
	}
	return int32(v)
}

func (r *reader) byte() byte {
	if r.err != nil || r.at >= len(r.b) {
		r.fail("%w", errShort)
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *reader) string() string {
	size := r.count(1)
	if r.err != nil {
		return ""
	}
	r.at += size
	return string(r.b[r.at-size : r.at])
}

// count reads how many things follow that take at least each bytes, and fails
// if the rest cannot hold them: so nothing is allocated that the input does not justify.
func (r *reader) count(each int) int {
	v := r.uint()
	if rest := len(r.b) - r.at; v > uint64(rest/each) {
		r.fail("%d items said to follow in %d bytes", v, rest)
		return 0
	}
	return int(v)
}

// point reads a point as its difference to from.
func (r *reader) point(from Point) Point {
	lon, lat := int64(from.Lon)+r.int(), int64(from.Lat)+r.int()
	if lon < math.MinInt32 || lon > math.MaxInt32 || lat < math.MinInt32 || lat > math.MaxInt32 {
		r.fail("a point beyond the Earth")
		return Point{}
	}
	return Point{Lon: int32(lon), Lat: int32(lat)}
}

// end returns the first error, or that something is left.
func (r *reader) end() error {
	if r.err == nil && r.at != len(r.b) {
		r.fail("%d bytes too many", len(r.b)-r.at)
	}
	return r.err
}
