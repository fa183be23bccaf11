package recording

import (
	"errors"
	"io"
	"maps"
	"net/url"
	"strings"
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
// merchants: names, phones, addresses, positions, instructions, PINs, e-mails, and all headers
// but those that say what the body is. The same input becomes the same output everywhere under one seed, so that a
// person stays one person. What replaces what follows from a keyed hash (HMAC-SHA256), so that it
// cannot be computed backwards by who does not know the seed: keep a seed secret that
// you use again, and draw it at random. Ids, times, amounts and the names of goods stay, and so
// does the name of the partner. It returns the number of requests.
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
		e.Path = s.path(e.Path)
		maps.DeleteFunc(e.Headers, func(name, _ string) bool { return !isPlainHeader(name) })
		if err := w.Write(e); err != nil {
			return n, err
		}
	}
}

// isPlainHeader reports whether a header says nothing of who sent the request.
func isPlainHeader(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "accept-encoding", "accept-language", "content-type":
		return true
	}
	return false
}

// path scrubs the words of a path's query. Of the path itself, ids stay.
func (s *scrubber) path(path string) string {
	path, query, asked := strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if id, err := url.PathUnescape(segment); err == nil && s.id(id) != id {
			segments[i] = url.PathEscape(s.id(id))
		}
	}
	path = strings.Join(segments, "/")
	if !asked {
		return path
	}
	values, _ := url.ParseQuery(query) // what is no query is dropped
	fresh := url.Values{}
	for key, words := range values {
		for _, word := range words {
			if !isPosition(key) {
				fresh.Add(s.field(key), s.word(key, word))
			}
		}
	}
	return path + "?" + fresh.Encode()
}
