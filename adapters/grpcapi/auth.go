package grpcapi

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"footway/core/fleet"
)

// RobotAudience is the audience of tokens that robots show.
const RobotAudience = "footway-robots"

// maxTokenLife is how far ahead a robot's token may expire.
const maxTokenLife = 24 * time.Hour

// Auth says whom a server believes. A caller shows a client certificate, which
// TLS has checked, or a bearer token; where it shows both the token counts.
type Auth struct {
	// TrustDomain is that of SPIFFE ids in certificates, such as "footway.example"; an
	// id of another is refused. A certificate without any id is named by its CN.
	TrustDomain string
	// Tokens are shared secrets, for development and for tools that have no certificate.
	Tokens []SharedToken
	// RobotKey returns the key with which an account signs the tokens of its robots, by the
	// token's "kid", or an error if there is none. Nil: robots show certificates.
	RobotKey func(ctx context.Context, account fleet.AccountID, kid string) (ed25519.PublicKey, error)
	// Now is the wall clock; nil is time.Now.
	Now func() time.Time
}

// SharedToken is a secret that proves an identity.
type SharedToken struct {
	Token    string
	Identity Identity
}

func unauthenticated(text string) error { return status.Error(codes.Unauthenticated, text) }

// identify returns who makes the call that ctx is of.
func (a *Auth) identify(ctx context.Context) (Identity, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	headers := md.Get("authorization")
	if len(headers) > 1 {
		return Identity{}, unauthenticated("more than one authorization header")
	}
	if len(headers) == 1 {
		scheme, token, _ := strings.Cut(headers[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return Identity{}, unauthenticated("authorization: want Bearer and a token")
		}
		return a.bearer(ctx, token)
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Identity{}, unauthenticated("no credentials")
	}
	tls, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(tls.State.VerifiedChains) == 0 {
		return Identity{}, unauthenticated("no credentials: want a client certificate or a bearer token")
	}
	return a.certificate(tls.State.VerifiedChains[0][0])
}

// certificate returns whom a certificate names.
func (a *Auth) certificate(c *x509.Certificate) (Identity, error) {
	name, found := c.Subject.CommonName, false
	for _, u := range c.URIs {
		if u.Scheme != "spiffe" {
			continue
		}
		if found || a.TrustDomain == "" || u.Host != a.TrustDomain {
			return Identity{}, unauthenticated("the certificate's SPIFFE id is not of our trust domain, or not the only one")
		}
		name, found = strings.TrimPrefix(u.Path, "/"), true
	}
	i, err := ParseIdentity(name)
	if err != nil || i.Name == AnyService {
		return Identity{}, unauthenticated("the certificate names nobody: want service/NAME, robot/ID or account/ID as SPIFFE id or CN")
	}
	i.Expires = c.NotAfter
	return i, nil
}

// bearer returns whom a token proves.
func (a *Auth) bearer(ctx context.Context, token string) (Identity, error) {
	mine, found := sha256.Sum256([]byte(token)), -1
	for n := range a.Tokens {
		theirs := sha256.Sum256([]byte(a.Tokens[n].Token))
		if subtle.ConstantTimeCompare(mine[:], theirs[:]) == 1 && a.Tokens[n].Token != "" {
			found = n
		}
	}
	if found >= 0 {
		return a.Tokens[found].Identity, nil
	}
	if a.RobotKey == nil {
		return Identity{}, unauthenticated("the token is not known")
	}
	return a.robotToken(ctx, token)
}

// robotToken checks a token that an account signed: EdDSA only, issued by
// "account/ID" for that account or one of its robots, for this audience, and not expired.
func (a *Auth) robotToken(ctx context.Context, token string) (Identity, error) {
	now := a.Now
	if now == nil {
		now = time.Now
	}
	var claims jwt.RegisteredClaims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithAudience(RobotAudience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(now), jwt.WithLeeway(30*time.Second))
	_, err := parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		issuer, err := ParseIdentity(claims.Issuer)
		if err != nil || issuer.Role != RoleAccount {
			return nil, jwt.ErrTokenInvalidIssuer
		}
		kid, _ := t.Header["kid"].(string)
		return a.RobotKey(ctx, fleet.AccountID(issuer.Name), kid)
	})
	if err != nil {
		return Identity{}, unauthenticated("the robot's token does not hold: want one that its account signed with EdDSA for the audience " + RobotAudience + ", and that has not expired")
	}
	if claims.ExpiresAt.After(now().Add(maxTokenLife)) {
		return Identity{}, unauthenticated("the robot's token lives too long: want it to expire within 24 h")
	}
	i, err := ParseIdentity(claims.Subject)
	account := strings.TrimPrefix(claims.Issuer, string(RoleAccount)+"/")
	if err != nil || i.Role == RoleService || i.Role == RoleAccount && i.Name != account {
		return Identity{}, unauthenticated("the robot's token is for somebody that its account cannot vouch for: want robot/ID or the account itself")
	}
	i.Account, i.Expires = fleet.AccountID(account), claims.ExpiresAt.Time
	return i, nil
}
