package serve

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"footway/adapters/grpcapi"
	"footway/adapters/ident"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/cmd/stores"
	"footway/core/fault"
	"footway/core/fleet"
)

// trust is whom this process believes, and how it shows who it is.
type trust struct {
	d       stores.Deployment
	secrets *secret.Resolver
	links   *ident.Links  // of recipients' pages, nil without a key
	passes  *ident.Passes // of merchants' pages, nil without a key
	people  []believer    // who else may be signed in
	files   *certificates // nil without TLS

	mu     sync.Mutex
	cached map[secret.Reference]cachedSecret
}

type cachedSecret struct {
	text  string
	until time.Time
}

// cacheFor is how long it may take until a secret that was replaced is used.
const cacheFor = 5 * time.Second

// ofPeople are the services that know people by links or passes, and so need the keys of those.
var ofPeople = []string{"integrations", "deliveries", "merchant"}

func newTrust(d stores.Deployment, secrets *secret.Resolver, services []string) (*trust, error) {
	t := &trust{d: d, secrets: secrets, cached: map[secret.Reference]cachedSecret{}}
	if d.Security.Wires != "plain" {
		t.files = &certificates{cert: d.Security.Certificate, key: d.Security.Key, ca: d.Security.CA}
		if _, err := t.files.load(); err != nil {
			return nil, fmt.Errorf("security: %w", err)
		}
	}
	if !slices.ContainsFunc(services, func(name string) bool { return slices.Contains(ofPeople, name) }) {
		return t, nil
	}
	var err error
	if t.links, err = t.openLinks(); err != nil {
		return nil, err
	}
	err = t.openPasses()
	return t, err
}

func (t *trust) plain() bool { return t.files == nil }

// minToken is below what a shared secret must have, in bytes.
const minToken = 16

// resolve returns a secret as it is now, or was a moment ago.
func (t *trust) resolve(ref secret.Reference) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := t.cached[ref]; ok && time.Now().Before(c.until) {
		return c.text, nil
	}
	v, err := t.secrets.Resolve(ref)
	if err != nil {
		return "", err
	}
	if n := len(v.Reveal()); n < minToken {
		return "", fault.New("serve.resolve", fault.Invalid, "short_token", "%s has %d bytes; want %d or more, by chance", ref, n, minToken)
	}
	t.cached[ref] = cachedSecret{v.Reveal(), time.Now().Add(cacheFor)}
	return v.Reveal(), nil
}

// shown returns what gives the secret behind a reference for each call, or nil if there is none.
func (t *trust) shown(ref secret.Reference) func(context.Context) (string, error) {
	if (ref == secret.Reference{}) {
		return nil
	}
	return func(context.Context) (string, error) { return t.resolve(ref) }
}

// tokenOf returns what gives the token that a service of this process shows.
func (t *trust) tokenOf(service string) func(context.Context) (string, error) {
	return t.shown(t.d.Services.Of(service).Token)
}

// secretsOfServices calls each with every token by which a service, or an operator, may prove itself.
func (t *trust) secretsOfServices(each func(name string, ref secret.Reference) error) error {
	for _, name := range stores.ServiceNames {
		s := t.d.Services.Of(name)
		for _, ref := range []secret.Reference{s.Token, s.Before} {
			if (ref == secret.Reference{}) {
				continue
			}
			if err := each(name, ref); err != nil {
				return err
			}
		}
	}
	for name, ref := range map[string]secret.Reference{"operator": t.d.Security.OperatorToken, "simulator": t.d.Security.Simulator} {
		if (ref == secret.Reference{}) {
			continue
		}
		if err := each(name, ref); err != nil {
			return err
		}
	}
	return nil
}

// grpcAuth says whom gRPC servers believe. Tokens are read once: one that is replaced needs
// token_before while replicas restart.
func (t *trust) grpcAuth() (grpcapi.Auth, error) {
	a := grpcapi.Auth{TrustDomain: t.d.Security.TrustDomain}
	err := t.secretsOfServices(func(name string, ref secret.Reference) error {
		text, err := t.resolve(ref)
		a.Tokens = append(a.Tokens, grpcapi.SharedToken{Token: text, Identity: grpcapi.Identity{Role: grpcapi.RoleService, Name: name}})
		return err
	})
	if err != nil {
		return a, fmt.Errorf("token: %w", err)
	}
	keys := map[string]ed25519.PublicKey{}
	for i, account := range t.d.Security.Accounts {
		if (account.Token != secret.Reference{}) {
			text, err := t.resolve(account.Token)
			if err != nil {
				return a, fmt.Errorf("security.accounts[%d].token: %w", i, err)
			}
			a.Tokens = append(a.Tokens, grpcapi.SharedToken{Token: text, Identity: grpcapi.Identity{Role: grpcapi.RoleAccount, Name: string(account.ID), Account: account.ID}})
		}
		for _, k := range account.Keys {
			key, err := readPublicKey(k.File)
			if err != nil {
				return a, fmt.Errorf("security.accounts[%d].keys: %w", i, err)
			}
			keys[string(account.ID)+"/"+k.ID] = key
		}
	}
	a.RobotKey = func(_ context.Context, account fleet.AccountID, kid string) (ed25519.PublicKey, error) {
		key, ok := keys[string(account)+"/"+kid]
		if !ok {
			return nil, fault.New("serve.RobotKey", fault.NotFound, "", "account %q has no key %q", account, kid)
		}
		return key, nil
	}
	return a, nil
}

func readPublicKey(path string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM; want an Ed25519 public key", path)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	ed, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s: a key of another kind; want an Ed25519 public key", path)
	}
	return ed, nil
}

// restAuth says whom REST servers believe.
func (t *trust) restAuth() (restapi.Auth, error) {
	a := restapi.Auth{TrustDomain: t.d.Security.TrustDomain, People: t.whoIs}
	err := t.secretsOfServices(func(name string, ref secret.Reference) error {
		if _, err := t.resolve(ref); err != nil {
			return fmt.Errorf("token of %s: %w", name, err)
		}
		a.Tokens = append(a.Tokens, restapi.Token{Secret: t.shown(ref), Caller: restapi.Caller{Role: restapi.RoleService, Name: name}})
		return nil
	})
	return a, err
}

// serverTLS returns TLS for a REST server, nil on plain wires.
func (t *trust) serverTLS() *tls.Config {
	if t.plain() {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now, err := t.files.load()
		if err != nil {
			return nil, err
		}
		return &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{now.cert}, ClientCAs: now.roots,
			ClientAuth: tls.VerifyClientCertIfGiven, NextProtos: []string{"h2", "http/1.1"}, // without a certificate a token must do
		}, nil
	}}
}

// clientTLS returns TLS for a REST client, nil on plain wires.
func (t *trust) clientTLS() (*tls.Config, error) {
	if t.plain() {
		return nil, nil
	}
	now, err := t.files.load()
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: now.roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		now, err := t.files.load()
		if err != nil {
			return nil, err
		}
		return &now.cert, nil
	}}, nil
}

// grpcFiles returns the files for gRPC, nil on plain wires.
func (t *trust) grpcFiles() *grpcapi.TLSFiles {
	if t.plain() {
		return nil
	}
	return &grpcapi.TLSFiles{Cert: t.files.cert, Key: t.files.key, CA: t.files.ca}
}

// certificates are files that are read again when they change.
type certificates struct {
	cert, key, ca string

	mu    sync.Mutex
	stamp [3]time.Time
	now   *loaded
}

type loaded struct {
	cert  tls.Certificate
	roots *x509.CertPool
}

// load returns what the files hold. While they are being replaced it is what they held before.
func (c *certificates) load() (*loaded, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var stamp [3]time.Time
	for i, path := range []string{c.cert, c.key, c.ca} {
		info, err := os.Stat(path)
		if err != nil {
			return c.before(err)
		}
		stamp[i] = info.ModTime()
	}
	if c.now != nil && stamp == c.stamp {
		return c.now, nil
	}
	cert, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return c.before(fmt.Errorf("%s and %s: %w", c.cert, c.key, err))
	}
	text, err := os.ReadFile(c.ca)
	if err != nil {
		return c.before(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return c.before(errors.New(c.ca + ": no certificate; want PEM"))
	}
	c.now, c.stamp = &loaded{cert, roots}, stamp
	return c.now, nil
}

func (c *certificates) before(err error) (*loaded, error) {
	if c.now != nil {
		return c.now, nil
	}
	return nil, err
}
