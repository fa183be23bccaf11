package restapi

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"footway/core/delivery"
)

// A name in a path is one segment. One of unreserved characters stands for
// itself; any other is written as "~~" and its base64url, so that no path ever
// holds an escape, a slash too many or a dot that means something.

// oddly marks a segment that is base64url.
const oddly = "~~"

// byExternal marks a reference to a delivery by the partner's own id.
const byExternal = "ext:"

// maxSegment bounds names in paths, in bytes.
const maxSegment = 512

// segment writes a name as one segment of a path.
func segment(name string) string {
	if plain(name) {
		return name
	}
	return oddly + base64.RawURLEncoding.EncodeToString([]byte(name))
}

// name reads what segment wrote; nothing else.
func name(segment string) (string, bool) {
	odd, isOdd := strings.CutPrefix(segment, oddly)
	if !isOdd {
		return segment, plain(segment) && len(segment) <= maxSegment
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(odd)
	if err != nil || len(b) > maxSegment || plain(string(b)) || !utf8.Valid(b) {
		return "", false
	}
	return string(b), true
}

// plain reports whether a name stands for itself.
func plain(name string) bool {
	if name == "" || name == "." || name == ".." || strings.HasPrefix(name, oddly) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}

// ref names a delivery in a path: by our id, or by the partner's.
type ref struct {
	id       delivery.ID
	external string
	partners bool // it is external
}

// externalRef writes the partner's id of a delivery.
func externalRef(id string) string { return byExternal + segment(id) }

// readRef reads a reference.
func readRef(text string) (ref, bool) {
	if external, ok := strings.CutPrefix(text, byExternal); ok {
		n, ok := name(external)
		return ref{external: n, partners: true}, ok
	}
	n, ok := name(text)
	return ref{id: delivery.ID(n)}, ok
}
