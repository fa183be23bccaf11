package ident

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"footway/core/account"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// Pass is what the merchants' pages say to Deliveries and Integrations of who is signed in: whose it is, and what it may see.
type Pass struct {
	Account  account.ID         `json:"a"`
	Partner  delivery.PartnerID `json:"p"`
	Business string             `json:"b"`
	Store    string             `json:"s,omitempty"` // within Business; "" is all
	Admin    bool               `json:"d,omitempty"` // it looks after Business
	// Customers says that it orders for customers of its own, and so may see who they are.
	Customers bool       `json:"c,omitempty"`
	Until     clock.Time `json:"u"`
}

// Passes signs passes, and reads them. Nothing is kept of one, so it holds for minutes only.
type Passes struct{ keys [][]byte }

// passMark begins a pass, so that nobody takes anything else for one.
const passMark = "fwp1."

// NewPasses returns passes under the first key that reads those under any of them.
func NewPasses(keys ...[]byte) (*Passes, error) {
	p := &Passes{}
	for i, k := range keys {
		if len(k) < MinKey {
			return nil, fault.New("ident.NewPasses", fault.Invalid, "", "key %d has %d bytes; want %d or more", i+1, len(k), MinKey)
		}
		derived := sha256.Sum256(append([]byte("footway pass key\x00"), k...)) // not the key of anything else
		p.keys = append(p.keys, derived[:])
	}
	if len(p.keys) == 0 {
		return nil, fault.New("ident.NewPasses", fault.Invalid, "", "no key; want one at least")
	}
	return p, nil
}

// Token returns a pass as a bearer token.
func (p *Passes) Token(pass Pass) (string, error) {
	body, err := json.Marshal(pass)
	if err != nil {
		return "", fault.New("ident.Passes", fault.Internal, "", "a pass cannot be written")
	}
	text := passMark + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(passMAC(p.keys[0], text)), nil
}

// Read returns the pass that a token is. It fails with fault.NotFound for what is none of ours and for one
// that holds no more at now.
func (p *Passes) Read(token string, now clock.Time) (Pass, error) {
	unknown := fault.New("ident.Passes", fault.NotFound, "", "the pass is none of ours, or holds no more")
	cut := strings.LastIndexByte(token, '.')
	if !strings.HasPrefix(token, passMark) || cut < len(passMark) || len(token) > 4096 {
		return Pass{}, unknown
	}
	tag, err := base64.RawURLEncoding.Strict().DecodeString(token[cut+1:])
	if err != nil {
		return Pass{}, unknown
	}
	ours := false
	for _, k := range p.keys {
		ours = hmac.Equal(passMAC(k, token[:cut]), tag) || ours
	}
	if !ours {
		return Pass{}, unknown
	}
	body, err := base64.RawURLEncoding.DecodeString(token[len(passMark):cut])
	var pass Pass
	if err != nil || json.Unmarshal(body, &pass) != nil || now >= pass.Until {
		return Pass{}, unknown
	}
	return pass, nil
}

func passMAC(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Tokens is an account.Source.
type Tokens struct{}

var _ account.Source = Tokens{}

// Token implements account.Source.
func (Tokens) Token() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // it never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Digest implements account.Source. What it is of cannot be guessed, so it needs no key.
func (Tokens) Digest(text string) string {
	sum := sha256.Sum256([]byte("footway account\x00" + text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
