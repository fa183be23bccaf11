//go:build !js

package live

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"footway/core/fault"
)

// Bounds of the tickets that wait to be used.
const (
	maxTickets   = 1000
	maxPerCaller = 32
)

// tickets are those of this process that are good. Each lets its caller in once.
type tickets struct {
	life time.Duration

	mu   sync.Mutex
	good map[[sha256.Size]byte]ticket
}

type ticket struct {
	caller  string
	expires time.Time
}

// issue makes a ticket.
func (t *tickets) issue(caller string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, mine := time.Now(), 0
	for key, one := range t.good {
		switch {
		case now.After(one.expires):
			delete(t.good, key)
		case one.caller == caller:
			mine++
		}
	}
	if mine >= maxPerCaller || len(t.good) >= maxTickets {
		return "", fault.New("live.Ticket", fault.Exhausted, "too_many_tickets", "%d of %d tickets wait to be used; want some used first", mine, len(t.good))
	}
	secret := make([]byte, 32)
	rand.Read(secret) // which never fails
	text := base64.RawURLEncoding.EncodeToString(secret)
	if t.good == nil {
		t.good = make(map[[sha256.Size]byte]ticket)
	}
	t.good[sha256.Sum256([]byte(text))] = ticket{caller, now.Add(t.life)}
	return text, nil
}

// redeem returns whom a ticket lets in, for the only time. What is looked up is its
// hash, so that the time it takes tells nothing.
func (t *tickets) redeem(text string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sha256.Sum256([]byte(text))
	one, ok := t.good[key]
	delete(t.good, key)
	if !ok || time.Now().After(one.expires) {
		return "", fault.New("live.Ticket", fault.Forbidden, "bad_ticket", "the ticket is not known, used or too old")
	}
	return one.caller, nil
}
