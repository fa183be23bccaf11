package restapi

import (
	"encoding/base64"
	"encoding/binary"

	"footway/core/clock"
	"footway/core/delivery"
)

// A cursor of a board is a place in its order, and nothing else: whose board it is
// follows from the caller, so a forged one leads nowhere that its maker may not go.

// cursorForm is the first byte of a cursor, raised when its form changes.
const cursorForm = 1

func markTo(m delivery.BoardMark) string {
	b := binary.AppendUvarint([]byte{cursorForm}, uint64(m.Quoted))
	return base64.RawURLEncoding.EncodeToString(append(b, m.ID...))
}

func markFrom(text string) (delivery.BoardMark, error) {
	if text == "" {
		return delivery.BoardMark{}, nil
	}
	bad := invalid(reasonBadCursor, "cursor: want one that an answer gave, as it is, or none")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 3 || len(b) > maxSegment || b[0] != cursorForm {
		return delivery.BoardMark{}, bad
	}
	quoted, n := binary.Uvarint(b[1:])
	if n <= 0 || quoted > uint64(lastInstant) || len(b) == 1+n {
		return delivery.BoardMark{}, bad
	}
	m := delivery.BoardMark{Quoted: clock.Time(quoted), ID: delivery.ID(b[1+n:])}
	if markTo(m) != text || !plainID(string(m.ID)) {
		return delivery.BoardMark{}, bad
	}
	return m, nil
}

// plainID reports whether id may be one of ours.
func plainID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return id != ""
}
