package integrations

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"footway/core/integration"
)

// TokenKey signs the tokens that we issue. Its id is public.
type TokenKey struct {
	ID     string
	Secret integration.Secret
}

// TokenKeys returns the keys as they are now: the first one signs, and all are
// believed, so that one is replaced while tokens by the one before are out.
type TokenKeys func(ctx context.Context) ([]TokenKey, error)

var errNoTokenKey = errors.New("there is no key for access tokens, or it has fewer than 32 bytes")

const (
	accessType = "at+jwt" // RFC 9068: tells our tokens from those that partners sign
	accessName = "footway"
	accessLife = time.Hour
	// accessScope is what clients of Uber Direct ask for, and what they get.
	accessScope = "eats.deliveries"
	// otherScope is what they ask for as well, and do not get: we know no organizations.
	otherScope = "direct.organizations"
	minSecret  = 32 // bytes of a token key
)

// issueToken answers POST /oauth/v2/token: RFC 6749, client credentials. The
// client is a key, with the same secret that signs tokens of DD-JWT-V1.
func (g *guard) issueToken(ctx context.Context, r *http.Request, body []byte) (Answer, error) {
	const operation = "token"
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) > 10 {
		return Answer{}, oauthError(http.StatusBadRequest, "invalid_request", "the body is no form")
	}
	for _, values := range form {
		if len(values) > 1 {
			return Answer{}, oauthError(http.StatusBadRequest, "invalid_request", "a parameter is there twice")
		}
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := basic(r); ok {
		if id != "" && id != user || secret != "" {
			return Answer{}, oauthError(http.StatusBadRequest, "invalid_request", "two ways of authentication; want one")
		}
		id, secret = user, password
	}
	if form.Get("grant_type") != "client_credentials" {
		return Answer{}, oauthError(http.StatusBadRequest, "unsupported_grant_type", "grant_type: want client_credentials")
	}
	if !grants(form.Get("scope")) {
		return Answer{}, oauthError(http.StatusBadRequest, "invalid_scope", "scope: want "+accessScope)
	}
	found, known, err := g.keys.Credential(ctx, keyID(id))
	if err != nil {
		return Answer{}, busy(err)
	}
	given, readable := integration.ParseSecret(secret)
	want := found.Secret
	if !known {
		want = integration.SecretOf(decoy)
	}
	if same := want.Equal(given); !same || !known || !readable {
		p := oauthError(http.StatusUnauthorized, "invalid_client", "client_id and client_secret are not those of a key that is in use")
		p.header = http.Header{"Www-Authenticate": {`Basic realm="footway"`}}
		return Answer{}, p
	}
	token, err := g.sign(ctx, found)
	if err != nil {
		return Answer{}, busy(err)
	}
	a := reply(operation, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(accessLife.Seconds()), "scope": accessScope})
	a.Header = http.Header{"Cache-Control": {"no-store"}}
	return a, nil
}

// grants reports whether a scope is what a token of ours is for, or says nothing.
func grants(scope string) bool {
	wanted := strings.Fields(scope)
	for _, s := range wanted {
		if s != accessScope && s != otherScope {
			return false
		}
	}
	return len(wanted) == 0 || slices.Contains(wanted, accessScope)
}

func oauthError(status int, word, text string) *problem {
	code := codeValidation
	if status == http.StatusUnauthorized {
		code = codeAuthentication
	}
	return &problem{status: status, oauth: word, Code: code, Message: text}
}

// sign makes an access token.
func (g *guard) sign(ctx context.Context, c integration.Credential) (string, error) {
	keys, err := g.tokens(ctx)
	if err != nil {
		return "", err
	}
	if len(keys) == 0 || len(keys[0].Secret.Bytes()) < minSecret {
		return "", errNoTokenKey
	}
	now := g.clock.Now().Std()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{KeyID: c.Key.ID, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: accessName, Audience: jwt.ClaimStrings{accessName}, Subject: string(c.Partner.ID),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(accessLife)),
	}})
	t.Header["typ"], t.Header["kid"] = accessType, keys[0].ID
	return t.SignedString(keys[0].Secret.Bytes())
}

// issued returns whom a token proves that we issued. Its key must still be in use.
func (g *guard) issued(ctx context.Context, text string) (integration.Credential, error) {
	refuse := func(text string) (integration.Credential, error) {
		return integration.Credential{}, unauthenticated(text)
	}
	if g.tokens == nil {
		return refuse(refusedToken)
	}
	keys, err := g.tokens(ctx)
	if err != nil {
		return integration.Credential{}, busy(err)
	}
	var c claims
	t, err := parser().ParseWithClaims(text, &c, func(t *jwt.Token) (any, error) {
		for _, k := range keys {
			if t.Header["kid"] == k.ID && len(k.Secret.Bytes()) >= minSecret {
				return k.Secret.Bytes(), nil
			}
		}
		return nil, errNoTokenKey
	})
	if err != nil || t.Header["typ"] != accessType {
		return refuse(refusedToken)
	}
	now := g.clock.Now().Std()
	switch {
	case c.Issuer != accessName || len(c.Audience) != 1 || c.Audience[0] != accessName || c.ExpiresAt == nil:
		return refuse(refusedToken)
	case !now.Before(c.ExpiresAt.Time):
		return refuse("exp is in the past")
	}
	found, known, err := g.keys.Credential(ctx, c.KeyID)
	if err != nil {
		return integration.Credential{}, busy(err)
	}
	if !known || string(found.Partner.ID) != c.Subject {
		return refuse(refusedToken)
	}
	return found, nil
}
