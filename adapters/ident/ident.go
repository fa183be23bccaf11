// Package ident makes what must not be guessed in production: ids, PINs of
// hatches, and digests of requests.
package ident

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/google/uuid"

	"footway/core/delivery"
	"footway/core/fault"
)

// IDs gives out UUIDs of version 7 (RFC 9562): they begin with the time, so that
// an index grows at its end, and have 74 random bits.
type IDs struct{}

var _ delivery.IDs = IDs{}

// NewID implements delivery.IDs. The kind is not part of the id.
func (IDs) NewID(string) string {
	return uuid.Must(uuid.NewV7()).String() // it fails only where the system has no randomness, and then nothing may go on
}

// PINs are drawn by chance.
type PINs struct{}

var _ delivery.Secrets = PINs{}

var pins = big.NewInt(10_000)

// PIN implements delivery.Secrets. Each call draws anew.
func (PINs) PIN(_, _ string) string {
	n, err := rand.Int(rand.Reader, pins) // without the bias of a remainder
	if err != nil {
		panic("ident: no randomness: " + err.Error()) // crypto/rand itself ends the process where it can
	}
	return fmt.Sprintf("%04d", n)
}

// MinKey is how long a key of Digests must be, in bytes.
const MinKey = 32

// Digests keys the digests of requests by HMAC-SHA-256 (RFC 2104), so that whoever
// reads them cannot try out what a request may have been.
type Digests struct{ keys []digestKey }

type digestKey struct {
	id  string
	key []byte
}

var _ delivery.Digests = (*Digests)(nil)

// NewDigests returns digests under the first key that knows those under any of
// them: to replace a key, put the new one before it, and take it away once
// nobody repeats requests of its time.
func NewDigests(keys ...[]byte) (*Digests, error) {
	d := &Digests{}
	for i, k := range keys {
		if len(k) < MinKey {
			return nil, fault.New("ident.NewDigests", fault.Invalid, "", "key %d has %d bytes; want %d or more", i+1, len(k), MinKey)
		}
		name := sha256.Sum256(append([]byte("footway digest key\x00"), k...))
		d.keys = append(d.keys, digestKey{hex.EncodeToString(name[:4]), k})
	}
	if len(d.keys) == 0 {
		return nil, fault.New("ident.NewDigests", fault.Invalid, "", "no key; want one at least")
	}
	return d, nil
}

// Digest implements delivery.Digests.
func (d *Digests) Digest(hash string) string { return d.keys[0].digest(hash) }

// Same implements delivery.Digests. One that was stored before there were keys
// is the hash itself.
func (d *Digests) Same(stored, hash string) bool {
	id, _, keyed := strings.Cut(stored, ":")
	if !keyed {
		return stored == hash
	}
	for _, k := range d.keys {
		if k.id == id {
			return hmac.Equal([]byte(k.digest(hash)), []byte(stored))
		}
	}
	return false // under a key that is gone: nobody can tell, and it is taken for another request
}

func (k digestKey) digest(hash string) string {
	m := hmac.New(sha256.New, k.key)
	m.Write([]byte(hash))
	return k.id + ":" + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
