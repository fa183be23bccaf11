package ident

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/google/uuid"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// Links makes the secrets in the links that recipients get, and reads them. Such a
// token names one delivery and says until when it holds; nobody can make one
// without the key, and nothing is kept of it. The same delivery and end give the same
// token, so that a partner that asks twice gets one link.
type Links struct{ keys [][]byte }

// Reasons why a link does not hold.
const (
	UnknownLink = "unknown_link"
	ExpiredLink = "expired_link"
)

// What the id in a token is written as.
const (
	linkText = iota
	linkUUID
)

// linkTag is how many bytes of the HMAC a token carries: 2^-128 for a guess.
const linkTag = 16

// NewLinks returns links under the first key that reads those under any of them.
func NewLinks(keys ...[]byte) (*Links, error) {
	l := &Links{}
	for i, k := range keys {
		if len(k) < MinKey {
			return nil, fault.New("ident.NewLinks", fault.Invalid, "", "key %d has %d bytes; want %d or more", i+1, len(k), MinKey)
		}
		derived := sha256.Sum256(append([]byte("footway link key\x00"), k...)) // not the key of anything else
		l.keys = append(l.keys, derived[:])
	}
	if len(l.keys) == 0 {
		return nil, fault.New("ident.NewLinks", fault.Invalid, "", "no key; want one at least")
	}
	return l, nil
}

// Token returns the secret of a link to a delivery that holds until an instant, to
// the minute above.
func (l *Links) Token(id delivery.ID, until clock.Time) string {
	const minute = clock.Time(clock.Minute)
	body := binary.BigEndian.AppendUint32(nil, uint32((until+minute-1)/minute))
	if u, err := uuid.Parse(string(id)); err == nil && u.String() == string(id) {
		body = append(append(body, linkUUID), u[:]...)
	} else {
		body = append(append(body, linkText), id...) // ids of tests and of the twin
	}
	return base64.RawURLEncoding.EncodeToString(append(body, linkMAC(l.keys[0], body)...))
}

// Read returns which delivery a token is of, and until when it holds. It fails with fault.NotFound, reason
// UnknownLink for what is no token of ours, ExpiredLink for one that holds no more at now.
func (l *Links) Read(token string, now clock.Time) (delivery.ID, clock.Time, error) {
	unknown := fault.New("ident.Links", fault.NotFound, UnknownLink, "the link is none of ours")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= 5+linkTag || strings.ContainsAny(token, "\r\n") {
		return "", 0, unknown
	}
	body, tag := raw[:len(raw)-linkTag], raw[len(raw)-linkTag:]
	ours := false
	for _, k := range l.keys {
		ours = hmac.Equal(linkMAC(k, body), tag) || ours
	}
	if !ours {
		return "", 0, unknown
	}
	until := clock.Time(binary.BigEndian.Uint32(body)) * clock.Time(clock.Minute)
	id, ok := linkedDelivery(body)
	if !ok {
		return "", 0, unknown
	}
	if now >= until {
		return id, until, fault.New("ident.Links", fault.NotFound, ExpiredLink, "the link held until %v", until)
	}
	return id, until, nil
}

func linkMAC(key, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(body)
	return m.Sum(nil)[:linkTag]
}

// LinkedDelivery returns which delivery a token names, genuine or not: only Read says
// whether it is. It is for who passes the token on to somebody who reads it.
func LinkedDelivery(token string) (delivery.ID, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= 5+linkTag {
		return "", false
	}
	return linkedDelivery(raw[:len(raw)-linkTag])
}

func linkedDelivery(body []byte) (delivery.ID, bool) {
	switch name := body[5:]; body[4] {
	case linkUUID:
		u, err := uuid.FromBytes(name)
		return delivery.ID(u.String()), err == nil
	case linkText:
		return delivery.ID(name), true
	}
	return "", false
}
