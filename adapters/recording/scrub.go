package recording

import (
	"errors"
	"io"
)

// Place is an address with where it is.
type Place struct {
	Address  string
	Lat, Lng string // decimal degrees
}

// Addresses finds other addresses for those in a recording. Neighbours returns
// addresses near the given one, in a fixed order, and none if it does not know
// the address.
type Addresses interface {
	Neighbours(address string) []Place
}

// ScrubOptions changes what Scrub puts in place of addresses.
type ScrubOptions struct {
	// Addresses makes the scrubbed recording work on the same map; nil makes addresses up.
	Addresses Addresses
}

// Scrub copies a recording from r to w without what identifies people and
// merchants: names, phones, addresses, positions, instructions, PINs, e-mails, and headers
// with secrets. The same input becomes the same output everywhere under one seed, so that a
// person stays one person. What replaces what follows from a keyed hash (HMAC-SHA256), so that it
// cannot be computed backwards by who does not know the seed: keep a seed secret that
// you use again, and draw it at random. Ids, times, amounts and the names of goods stay. It
// returns the number of requests.
func Scrub(w *Writer, r *Reader, seed uint64, o ScrubOptions) (int, error) {
	s := newScrubber(seed, o)
	for n := 0; ; n++ {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		e.Body = s.body(e.Body)
		for name, value := range e.Headers {
			e.Headers[name] = s.loose(value)
		}
		if err := w.Write(e); err != nil {
			return n, err
		}
	}
}
