package restapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"

	"footway/core/delivery"
	"footway/core/fault"
)

// Role is what somebody is who calls.
type Role string

// The roles.
const (
	RoleService   Role = "service"   // one of ours, by its name
	RoleMerchant  Role = "merchant"  // somebody of a business, signed in
	RoleRecipient Role = "recipient" // whoever holds the link to one delivery
)

// AnyService is the name of a service that may be any of ours, for development.
const AnyService = "*"

// Caller is who calls, and what belongs to it.
type Caller struct {
	Role Role
	Name string // of the service, or of the account that is signed in; for logs
	// Whose objects it may see; "" is no limit. A service has none of its own: it says in
	// the header Footway-Partner on whose behalf it calls.
	Partner  delivery.PartnerID
	Business string
	Store    string      // within Business
	Admin    bool        // of a merchant: it looks after Business
	Delivery delivery.ID // of a recipient: the only one
	// Customers says of a merchant that it orders for customers of its own, not of its partner: it may see who they are.
	Customers bool
}

// String names the caller for logs.
func (c Caller) String() string { return string(c.Role) + "/" + c.Name }

// check refuses a caller that an Auth made and that would see too much.
func (c Caller) check() error {
	ok := false
	switch c.Role {
	case RoleService:
		ok = c.Name != ""
	case RoleMerchant:
		ok = c.Partner != "" && (c.Store == "" || c.Business != "")
	case RoleRecipient:
		ok = c.Delivery != ""
	}
	if !ok {
		return fault.New("restapi.Auth", fault.Internal, "bad_caller", "a caller of role %q lacks the limits of that role", c.Role)
	}
	return nil
}

// sees reports whether a delivery belongs to the caller.
func (c Caller) sees(d *delivery.Delivery) bool {
	if c.Delivery != "" && c.Delivery != d.ID || c.Partner != "" && c.Partner != d.Partner {
		return false
	}
	_, ok := c.within(d.Pickup.Store)
	return ok
}

// within returns which stores of those wanted the caller may see, as a
// delivery.BoardQuery names them, and whether there are any.
func (c Caller) within(want string) (string, bool) {
	switch own := c.stores(); {
	case own == "" || own == want:
		return want, true
	case strings.HasSuffix(own, "/") && strings.HasPrefix(want, own):
		return want, true
	}
	return "", false
}

// stores returns the limit of the caller, as a delivery.BoardQuery names it.
func (c Caller) stores() string {
	if c.Business == "" {
		return ""
	}
	return c.Business + "/" + c.Store
}

type callerKey struct{}

// CallerOf returns who made the request that ctx is of.
func CallerOf(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// Secret returns a shared secret as it is now, such as one that was read from a
// file. It is asked for each request, so it should not take long.
type Secret func(ctx context.Context) (string, error)

// Token is a secret that proves who calls.
type Token struct {
	Secret Secret
	Caller Caller
}

// Auth says whom a server believes. A caller shows a client certificate, which
// TLS has checked, or a bearer token; where it shows both the token counts.
type Auth struct {
	// TrustDomain is that of SPIFFE ids in certificates, such as "footway.example"; an
	// id of another is refused. A certificate without any id is named by its CN. Both read "service/NAME".
	TrustDomain string
	// Tokens are those of services. While one is replaced, both are here.
	Tokens []Token
	// People returns who is signed in with a token, or a fault.NotFound error; nil: nobody is.
	People func(ctx context.Context, token string) (Caller, error)
}

func unauthenticated(text string) error {
	return fault.New("restapi", fault.Forbidden, reasonUnauthenticated, "%s", text)
}

// minToken is below what a secret must have to be one, in bytes.
const minToken = 16

// caller returns who makes a request.
func (a *Auth) caller(r *http.Request) (Caller, error) {
	c, err := a.shown(r)
	if err != nil {
		return Caller{}, err
	}
	if err := c.check(); err != nil {
		return Caller{}, err
	}
	return c, c.onBehalf(r)
}

// shown returns whom a request's credentials prove.
func (a *Auth) shown(r *http.Request) (Caller, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return Caller{}, unauthenticated("more than one authorization header")
	}
	if len(headers) == 1 {
		scheme, token, _ := strings.Cut(headers[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return Caller{}, unauthenticated("authorization: want Bearer and a token")
		}
		return a.bearer(r.Context(), token)
	}
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return Caller{}, unauthenticated("no credentials: want a bearer token or a client certificate")
	}
	return a.certificate(r.TLS.VerifiedChains[0][0])
}

// onBehalf takes the partner over that a service names.
func (c *Caller) onBehalf(r *http.Request) error {
	named := r.Header.Values(headerPartner)
	if len(named) == 0 {
		return nil
	}
	if len(named) > 1 || len(named[0]) > maxSegment {
		return invalid(reasonBadHeader, "%s: want one partner", headerPartner)
	}
	if c.Role != RoleService {
		return fault.New("restapi", fault.Forbidden, reasonNotAllowed, "%s: only services call on somebody's behalf", headerPartner)
	}
	p, ok := name(named[0])
	if !ok {
		return invalid(reasonBadHeader, "%s: want the partner's id in the form of a path's segment", headerPartner)
	}
	c.Partner = delivery.PartnerID(p)
	return nil
}

// bearer returns whom a token proves. It compares with all, however early one fits.
func (a *Auth) bearer(ctx context.Context, token string) (Caller, error) {
	mine, found := sha256.Sum256([]byte(token)), -1
	var broken error
	for i := range a.Tokens {
		secret, err := a.Tokens[i].Secret(ctx)
		if err != nil {
			broken = err
			continue
		}
		theirs := sha256.Sum256([]byte(secret))
		if subtle.ConstantTimeCompare(mine[:], theirs[:]) == 1 && len(secret) >= minToken {
			found = i
		}
	}
	switch {
	case found >= 0:
		return a.Tokens[found].Caller, nil
	case broken != nil:
		return Caller{}, &fault.Error{Op: "restapi.Auth", Kind: fault.Unavailable, Reason: "no_secrets", Err: fmt.Errorf("a secret cannot be read: %w", broken)}
	case a.People == nil:
		return Caller{}, unauthenticated("the token is not known")
	}
	c, err := a.People(ctx, token)
	if fault.Is(err, fault.NotFound) {
		return Caller{}, unauthenticated("the token is not known")
	}
	if err == nil && c.Role == RoleService {
		return Caller{}, fault.New("restapi.Auth", fault.Internal, "bad_caller", "people are no service")
	}
	return c, err
}

// certificate returns the service that a certificate names.
func (a *Auth) certificate(c *x509.Certificate) (Caller, error) {
	text, found := c.Subject.CommonName, false
	for _, u := range c.URIs {
		if u.Scheme != "spiffe" {
			continue
		}
		if found || a.TrustDomain == "" || u.Host != a.TrustDomain {
			return Caller{}, unauthenticated("the certificate's SPIFFE id is not of our trust domain, or not the only one")
		}
		text, found = strings.TrimPrefix(u.Path, "/"), true
	}
	service, ok := strings.CutPrefix(text, string(RoleService)+"/")
	if !ok || !plain(service) {
		return Caller{}, unauthenticated("the certificate names nobody: want service/NAME as SPIFFE id or CN")
	}
	return Caller{Role: RoleService, Name: service}, nil
}
