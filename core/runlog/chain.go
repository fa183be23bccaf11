package runlog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"footway/core/event"
)

// Hash identifies a log up to one event: SHA-256 of the hash before it and the
// event's canonical line. Equal hashes mean equal logs from the first event on.
type Hash [sha256.Size]byte

// String returns the hash in 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short returns the first 16 digits, for people.
func (h Hash) Short() string { return h.String()[:16] }

// MarshalText writes the hash as String does.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("hash %.80q: want %d hexadecimal digits", text, hex.EncodedLen(len(h)))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("hash %q: %w", text, err)
	}
	return nil
}

// chain extends a hash by one line after the other.
type chain struct {
	last Hash
	buf  []byte // last and the line behind each other, so that one call hashes both
}

// add extends the chain by e and returns its canonical line, valid until the
// next call.
func (c *chain) add(e event.Event) []byte {
	c.buf = append(c.buf[:0], c.last[:]...)
	c.buf = AppendLine(c.buf, e)
	c.last = sha256.Sum256(c.buf)
	return c.buf[len(c.last):]
}
