// Package password makes of passwords what may be kept of them, by argon2id (RFC 9106),
// in the PHC string format.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"footway/core/account"
	"footway/core/fault"
)

// Options say how much work a password is. The zero value is DefaultOptions.
type Options struct {
	Passes    uint32
	MemoryKiB uint32
	Threads   uint8
	// AtOnce is how many are worked on at a time; others wait. It bounds memory to AtOnce times MemoryKiB.
	AtOnce int
}

// DefaultOptions are what OWASP recommends for argon2id with 19 MiB: some 30 ms of one core.
var DefaultOptions = Options{Passes: 2, MemoryKiB: 19 * 1024, Threads: 1, AtOnce: 4}

const (
	saltBytes = 16
	keyBytes  = 32
)

// Hasher is an account.Hasher. It is safe for concurrent use.
type Hasher struct {
	o     Options
	room  chan struct{}
	empty []byte // salt for who has no password
}

var _ account.Hasher = (*Hasher)(nil)

// New returns a hasher.
func New(o Options) *Hasher {
	if o == (Options{}) {
		o = DefaultOptions
	}
	h := &Hasher{o: o, room: make(chan struct{}, max(1, o.AtOnce)), empty: make([]byte, saltBytes)}
	_, _ = rand.Read(h.empty) // it never fails, see its documentation
	return h
}

// enter waits for room.
func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &fault.Error{Op: "password", Kind: fault.Unavailable, Reason: "busy", Err: ctx.Err()}
	}
}

// Hash implements account.Hasher.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.room }()
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, h.o.Passes, h.o.MemoryKiB, h.o.Threads, keyBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.o.MemoryKiB, h.o.Passes, h.o.Threads, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Matches implements account.Hasher.
func (h *Hasher) Matches(ctx context.Context, kept, password string) (ok, weak bool, err error) {
	o, salt, want, known := parse(kept)
	if !known {
		o, salt, want = h.o, h.empty, make([]byte, keyBytes)
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer func() { <-h.room }()
	got := argon2.IDKey([]byte(password), salt, o.Passes, o.MemoryKiB, o.Threads, uint32(len(want)))
	ok = subtle.ConstantTimeCompare(got, want) == 1 && known
	weak = ok && (o.Passes < h.o.Passes || o.MemoryKiB < h.o.MemoryKiB)
	return ok, weak, nil
}

// parse reads what Hash made. It refuses what would take more than a server has.
func parse(kept string) (o Options, salt, key []byte, ok bool) {
	parts := strings.Split(kept, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return o, nil, nil, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &o.MemoryKiB, &o.Passes, &o.Threads); n != 3 || err != nil {
		return o, nil, nil, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	ok = err1 == nil && err2 == nil && len(salt) >= 8 && len(key) >= 16 && len(key) <= 64 &&
		o.Passes >= 1 && o.Passes <= 100 && o.MemoryKiB >= 8 && o.MemoryKiB <= 1<<20 && o.Threads >= 1
	return o, salt, key, ok
}
