package integrations

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"footway/core/clock"
	"footway/core/integration"
)

const (
	maxToken  = 4096             // bytes of a token; theirs have 300
	maxLife   = 1800             // seconds from iat to exp of a token that a partner signs
	skew      = 30 * time.Second // by which a partner's clock may be ahead
	audience  = "doordash"       // of tokens that partners sign
	ddVersion = "DD-JWT-V1"
)

// Keys finds what a key proves. For a key that there is not it takes as long.
type Keys interface {
	Credential(ctx context.Context, keyID string) (integration.Credential, bool, error)
}

// guard finds out who makes a request.
type guard struct {
	keys   Keys
	clock  clock.Clock
	tokens TokenKeys // of tokens that we issue
}

// claims are what a partner's token says, or one of ours.
type claims struct {
	jwt.RegisteredClaims
	KeyID string `json:"kid"`
}

func unauthenticated(text string) *problem {
	return &problem{status: http.StatusUnauthorized, Code: codeAuthentication, Message: text, header: http.Header{"Www-Authenticate": {`Bearer realm="footway"`}}}
}

// refusedToken is what everybody is told whose token is not signed by a key that
// is in use, whatever is wrong with it: who guesses learns nothing.
const refusedToken = "the token is not signed by a key that is in use"

// who returns what a request's token proves.
func (g *guard) who(ctx context.Context, r *http.Request) (integration.Credential, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return integration.Credential{}, unauthenticated("want one header authorization: Bearer and a token")
	}
	scheme, text, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" || len(text) > maxToken {
		return integration.Credential{}, unauthenticated("authorization: want Bearer and a token")
	}
	if typeOf(text) == accessType {
		return g.issued(ctx, text)
	}
	return g.signed(ctx, text)
}

// parser reads tokens whose claims are checked here, by our clock.
func parser() *jwt.Parser {
	return jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
}

// typeOf returns the type in a token's header, which decides who signed it. Nothing is checked.
func typeOf(text string) string {
	first, _, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return ""
	}
	var header struct {
		Type any `json:"typ"`
	}
	if json.Unmarshal(raw, &header) != nil {
		return ""
	}
	typ, _ := header.Type.(string)
	return typ
}

// signed returns whom a token proves that a partner signed, as DD-JWT-V1 has it.
func (g *guard) signed(ctx context.Context, text string) (integration.Credential, error) {
	var (
		c      claims
		found  integration.Credential
		known  bool
		failed error
	)
	t, err := parser().ParseWithClaims(text, &c, func(*jwt.Token) (any, error) {
		found, known, failed = g.keys.Credential(ctx, keyID(c.KeyID))
		secret := found.Secret.Bytes()
		if !known || failed != nil || len(secret) == 0 {
			secret, known = decoy, false // as much work as for one that there is
		}
		return secret, nil
	})
	switch {
	case failed != nil:
		return integration.Credential{}, busy(failed)
	case err == nil && known && found.Partner.Developer != "" && c.Issuer == found.Partner.Developer:
	case errors.Is(err, jwt.ErrTokenMalformed):
		return integration.Credential{}, unauthenticated("the token is not a JSON web token")
	case err != nil && t != nil && t.Method != jwt.SigningMethodHS256:
		return integration.Credential{}, unauthenticated("alg: want HS256")
	default:
		return integration.Credential{}, unauthenticated(refusedToken)
	}
	if text := g.wrongHeader(t.Header); text != "" {
		return integration.Credential{}, unauthenticated(text)
	}
	if text := g.wrongClaims(&c); text != "" {
		return integration.Credential{}, unauthenticated(text)
	}
	return found, nil
}

// keyID returns an id that a stranger may have made up, if it can be one at all: stores
// need not cope with anything. Nobody has the empty one.
func keyID(id string) string {
	if len(id) > 100 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return id
}

// decoy is what the signature of a token is compared with whose key there is not.
var decoy = []byte("0123456789abcdef0123456789abcdef")

func (g *guard) wrongHeader(h map[string]any) string {
	if h["dd-ver"] != ddVersion {
		return "dd-ver: want " + ddVersion
	}
	if typ, there := h["typ"]; there && typ != "JWT" {
		return "typ: want JWT"
	}
	if _, there := h["crit"]; there {
		return "crit: want none"
	}
	return ""
}

// wrongClaims says what is wrong with the claims of a token whose signature is right.
func (g *guard) wrongClaims(c *claims) string {
	now := g.clock.Now().Std()
	switch {
	case len(c.Audience) != 1 || c.Audience[0] != audience:
		return "aud: want " + audience
	case c.ExpiresAt == nil:
		return "exp: missing"
	case c.IssuedAt == nil:
		return "iat: missing"
	case !now.Before(c.ExpiresAt.Time):
		return "exp is in the past"
	case c.IssuedAt.After(now.Add(skew)):
		return "iat is in the future"
	case c.NotBefore != nil && c.NotBefore.After(now.Add(skew)):
		return "nbf is in the future"
	case c.ExpiresAt.Sub(c.IssuedAt.Time) > maxLife*time.Second:
		return "exp: want at most 1800 s after iat"
	}
	return ""
}

// basic returns what a request says in Basic authentication, for the token endpoint.
func basic(r *http.Request) (id, secret string, ok bool) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(raw), ":")
	return id, secret, ok
}
