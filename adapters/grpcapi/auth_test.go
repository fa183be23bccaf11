package grpcapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"footway/adapters/grpcapi"
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
	"footway/core/fleet"
)

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	n    int64
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), n: 1}
	a.key = newKey(t)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) write(t testing.TB, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// files returns a certificate; edit says for whom.
func (a *authority) files(t testing.TB, name string, edit func(c *x509.Certificate)) *grpcapi.TLSFiles {
	t.Helper()
	a.n++
	key := newKey(t)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(a.n), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	edit(tmpl)
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &grpcapi.TLSFiles{
		Cert: a.write(t, name+".pem", "CERTIFICATE", der), Key: a.write(t, name+"-key.pem", "EC PRIVATE KEY", keyDER), CA: filepath.Join(a.dir, "ca.pem"),
	}
}

func spiffe(id string) func(c *x509.Certificate) {
	return func(c *x509.Certificate) {
		u, err := url.Parse(id)
		if err != nil {
			panic(err)
		}
		c.URIs = append(c.URIs, u)
	}
}

func named(cn string) func(c *x509.Certificate) {
	return func(c *x509.Certificate) { c.Subject.CommonName = cn }
}

func serverCert(c *x509.Certificate) {
	c.DNSNames, c.ExtKeyUsage = []string{"footway.test"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// secured starts Fleet with TLS, and with robots' tokens of the account acme.
func secured(t *testing.T, a *authority, files *grpcapi.TLSFiles) (*bufconn.Listener, *yard, ed25519.PrivateKey) {
	t.Helper()
	y := newYard(t, "r1", "r2")
	y.robot(t, "x1", "rival")
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := y.replica(t, "a", limits(), func(o *grpcapi.Options, _ *grpcapi.LinkOptions) {
		o.Insecure, o.TLS = false, files
		o.Auth = grpcapi.Auth{TrustDomain: "footway.test", RobotKey: func(_ context.Context, account fleet.AccountID, kid string) (ed25519.PublicKey, error) {
			if account != "acme" || kid != "k1" {
				return nil, errors.New("no such key")
			}
			return public, nil
		}}
	})
	return r.l, y, private
}

// ask calls a method that Dispatch may call, and returns gRPC's error.
func ask(ctx context.Context, cc grpc.ClientConnInterface) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := pb.NewFleetClient(cc).Docks(ctx, &pb.DocksRequest{Market: "m"})
	return err
}

func TestCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	l, _, _ := secured(t, ours, ours.files(t, "server", serverCert))
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		files *grpcapi.TLSFiles
		code  codes.Code
	}{
		"dispatch, by SPIFFE id": {ours.files(t, "d", spiffe("spiffe://footway.test/service/dispatch")), codes.OK},
		"dispatch, by CN":        {ours.files(t, "dcn", named("service/dispatch")), codes.OK},
		"no certificate":         {&grpcapi.TLSFiles{CA: filepath.Join(ours.dir, "ca.pem")}, codes.Unauthenticated},
		"another service":        {ours.files(t, "i", spiffe("spiffe://footway.test/service/integrations")), codes.PermissionDenied},
		"a robot":                {ours.files(t, "r", spiffe("spiffe://footway.test/robot/r1")), codes.PermissionDenied},
		"another trust domain":   {ours.files(t, "td", spiffe("spiffe://evil.test/service/dispatch")), codes.Unauthenticated},
		"two SPIFFE ids": {ours.files(t, "two", func(c *x509.Certificate) {
			spiffe("spiffe://footway.test/service/dispatch")(c)
			spiffe("spiffe://footway.test/robot/r1")(c)
		}), codes.Unauthenticated},
		"a CN beside a foreign id": {ours.files(t, "mix", func(c *x509.Certificate) { spiffe("spiffe://evil.test/x")(c); named("service/dispatch")(c) }), codes.Unauthenticated},
		"any service":              {ours.files(t, "any", named("service/*")), codes.Unauthenticated},
		"nobody":                   {ours.files(t, "none", named("dispatch")), codes.Unauthenticated},
		"a path below":             {ours.files(t, "below", named("service/dispatch/x")), codes.Unauthenticated},
		"another authority":        {mixed(theirs.files(t, "o", named("service/dispatch")), ours), codes.Unavailable},
		"expired": {ours.files(t, "e", func(c *x509.Certificate) {
			named("service/dispatch")(c)
			c.NotBefore, c.NotAfter = time.Now().Add(-2*day), time.Now().Add(-day)
		}), codes.Unavailable},
		"not yet valid": {ours.files(t, "ny", func(c *x509.Certificate) {
			named("service/dispatch")(c)
			c.NotBefore, c.NotAfter = time.Now().Add(day), time.Now().Add(2*day)
		}), codes.Unavailable},
		"a certificate for servers": {ours.files(t, "s", func(c *x509.Certificate) { serverCert(c); named("service/dispatch")(c) }), codes.Unavailable},
		"who distrusts our server":  {theirs.files(t, "ds", named("service/dispatch")), codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			cc := dial(t, l, grpcapi.DialOptions{TLS: c.files, ServerName: "footway.test"})
			if err := ask(t.Context(), cc); status.Code(err) != c.code {
				t.Errorf("Docks: %v, want %v", err, c.code)
			}
		})
	}
	t.Run("a server of another name", func(t *testing.T) {
		cc := dial(t, l, grpcapi.DialOptions{TLS: ours.files(t, "d2", named("service/dispatch")), ServerName: "other.test"})
		if err := ask(t.Context(), cc); status.Code(err) != codes.Unavailable {
			t.Errorf("Docks at a server that shows another name: %v, want no connection", err)
		}
	})
	t.Run("plain text", func(t *testing.T) {
		cc := dial(t, l, grpcapi.DialOptions{})
		if err := ask(t.Context(), cc); status.Code(err) != codes.Unavailable {
			t.Errorf("Docks in plain text at a server with TLS: %v, want no connection", err)
		}
	})
}

// mixed returns files whose certificate is of one authority, and that trust another.
func mixed(f *grpcapi.TLSFiles, trusts *authority) *grpcapi.TLSFiles {
	f.CA = filepath.Join(trusts.dir, "ca.pem")
	return f
}

// TestCertificatesAreReplaced while the server runs.
func TestCertificatesAreReplaced(t *testing.T) {
	first, second := newAuthority(t), newAuthority(t)
	files := first.files(t, "server", serverCert)
	l, _, _ := secured(t, first, files)
	old := first.files(t, "d", named("service/dispatch"))
	cc := dial(t, l, grpcapi.DialOptions{TLS: old, ServerName: "footway.test"})
	if err := ask(t.Context(), cc); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.Cert, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := dial(t, l, grpcapi.DialOptions{TLS: old, ServerName: "footway.test"})
	if err := ask(t.Context(), again); err != nil {
		t.Errorf("while the file is being written: %v, want the old certificate", err)
	}
	next := second.files(t, "server", serverCert)
	for from, to := range map[string]string{next.Cert: files.Cert, next.Key: files.Key, next.CA: files.CA} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cc = dial(t, l, grpcapi.DialOptions{TLS: second.files(t, "d", named("service/dispatch")), ServerName: "footway.test"})
	if err := ask(t.Context(), cc); err != nil {
		t.Errorf("after the replacement, with a certificate of the new authority: %v", err)
	}
	cc = dial(t, l, grpcapi.DialOptions{TLS: mixed(first.files(t, "late", named("service/dispatch")), second), ServerName: "footway.test"})
	if err := ask(t.Context(), cc); status.Code(err) != codes.Unavailable {
		t.Errorf("after the replacement, with a certificate of the old authority: %v, want no connection", err)
	}
}

// TestRobotTokens tries every way in which a token can be wrong.
func TestRobotTokens(t *testing.T) {
	a := newAuthority(t)
	l, _, private := secured(t, a, a.files(t, "server", serverCert))
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	good := func() jwt.RegisteredClaims {
		return jwt.RegisteredClaims{Issuer: "account/acme", Subject: "robot/r1", Audience: jwt.ClaimStrings{grpcapi.RobotAudience}, ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour))}
	}
	sign := func(method jwt.SigningMethod, key any, kid string, edit func(c *jwt.RegisteredClaims)) string {
		c := good()
		edit(&c)
		token := jwt.NewWithClaims(method, c)
		token.Header["kid"] = kid
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	eddsa := func(edit func(c *jwt.RegisteredClaims)) string {
		return sign(jwt.SigningMethodEdDSA, private, "k1", edit)
	}
	same := func(*jwt.RegisteredClaims) {}
	for name, c := range map[string]struct {
		token string
		hello *pb.Up
		code  codes.Code
	}{
		"good, of a robot":       {eddsa(same), hello("r1", "acme"), codes.Unavailable}, // it is let in, and then cut off since it is silent
		"good, of the account":   {eddsa(func(c *jwt.RegisteredClaims) { c.Subject = "account/acme" }), hello("r2", "acme"), codes.Unavailable},
		"for another robot":      {eddsa(same), hello("r2", "acme"), codes.PermissionDenied},
		"for a robot of another": {eddsa(func(c *jwt.RegisteredClaims) { c.Subject = "robot/x1" }), hello("x1", "rival"), codes.PermissionDenied},
		"for another account":    {eddsa(func(c *jwt.RegisteredClaims) { c.Subject = "account/rival" }), hello("x1", "rival"), codes.Unauthenticated},
		"for a service":          {eddsa(func(c *jwt.RegisteredClaims) { c.Subject = "service/operator" }), nil, codes.Unauthenticated},
		"for nobody":             {eddsa(func(c *jwt.RegisteredClaims) { c.Subject = "" }), nil, codes.Unauthenticated},
		"of an unknown issuer":   {eddsa(func(c *jwt.RegisteredClaims) { c.Issuer = "account/rival" }), nil, codes.Unauthenticated},
		"of an issuer by itself": {eddsa(func(c *jwt.RegisteredClaims) { c.Issuer = "robot/r1" }), nil, codes.Unauthenticated},
		"for another audience":   {eddsa(func(c *jwt.RegisteredClaims) { c.Audience = jwt.ClaimStrings{"partners"} }), nil, codes.Unauthenticated},
		"for no audience":        {eddsa(func(c *jwt.RegisteredClaims) { c.Audience = nil }), nil, codes.Unauthenticated},
		"expired":                {eddsa(func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(now.Add(-time.Minute)) }), nil, codes.Unauthenticated},
		"without an expiry":      {eddsa(func(c *jwt.RegisteredClaims) { c.ExpiresAt = nil }), nil, codes.Unauthenticated},
		"for a year":             {eddsa(func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(now.AddDate(1, 0, 0)) }), nil, codes.Unauthenticated},
		"not yet valid":          {eddsa(func(c *jwt.RegisteredClaims) { c.NotBefore = jwt.NewNumericDate(now.Add(time.Hour)) }), nil, codes.Unauthenticated},
		"by a stranger":          {sign(jwt.SigningMethodEdDSA, stranger, "k1", same), nil, codes.Unauthenticated},
		"by an unknown key":      {sign(jwt.SigningMethodEdDSA, private, "k2", same), nil, codes.Unauthenticated},
		"alg none":               {sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "k1", same), nil, codes.Unauthenticated},
		"HMAC of the public key": {sign(jwt.SigningMethodHS256, []byte(private.Public().(ed25519.PublicKey)), "k1", same), nil, codes.Unauthenticated},
		"garbage":                {"a.b.c", nil, codes.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			cc := dial(t, l, grpcapi.DialOptions{TLS: &grpcapi.TLSFiles{CA: filepath.Join(a.dir, "ca.pem")}, ServerName: "footway.test", Token: showing(c.token)})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			stream, err := pb.NewFleetRobotsClient(cc).Connect(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if c.hello != nil && stream.Send(c.hello) != nil {
				t.Log("the stream has ended already")
			}
			for err == nil {
				_, err = stream.Recv()
			}
			if status.Code(err) != c.code {
				t.Errorf("the stream ended with %v, want %v", err, c.code)
			}
		})
	}
	cc := dial(t, l, grpcapi.DialOptions{TLS: &grpcapi.TLSFiles{CA: filepath.Join(a.dir, "ca.pem")}, ServerName: "footway.test", Token: showing(eddsa(same))})
	if err := ask(t.Context(), cc); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a robot's token at a method of services: %v, want permission denied", err)
	}
}

// TestExpiryEndsStreams has a credential end while its stream is open.
func TestExpiryEndsStreams(t *testing.T) {
	y := newYard(t, "r1")
	r := y.replica(t, "a", grpcapi.LinkLimits{}, func(o *grpcapi.Options, _ *grpcapi.LinkOptions) {
		o.Auth.Tokens[1].Identity.Expires = time.Now().Add(300 * time.Millisecond)
	})
	if err := speak(t, r, "acme's", "fleet", hello("r1", "acme")); status.Code(err) != codes.Unauthenticated {
		t.Errorf("the stream ended with %v, want it unauthenticated", err)
	}
}

func TestHeaders(t *testing.T) {
	l := bufconn.Listen(1 << 20)
	serve(t, plain(grpcapi.Options{Fleet: fleetService(fleetDeps())}), l)
	for name, headers := range map[string][]string{
		"none":            nil,
		"no scheme":       {"authorization", secret},
		"Basic":           {"authorization", "Basic " + secret},
		"an empty token":  {"authorization", "Bearer "},
		"a part of it":    {"authorization", "Bearer " + secret[:10]},
		"two headers":     {"authorization", "Bearer " + secret, "authorization", "Bearer " + secret},
		"by another name": {"x-authorization", "Bearer " + secret},
	} {
		bare, err := grpc.NewClient("passthrough:///memory", insecureOver(l)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(metadata.AppendToOutgoingContext(t.Context(), headers...), bare); status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v, want unauthenticated", name, err)
		}
		_ = bare.Close()
	}
}

func TestServersThatCannotBe(t *testing.T) {
	a := newAuthority(t)
	files := a.files(t, "server", serverCert)
	for reason, o := range map[string]grpcapi.Options{
		"no_tls":          {Log: quiet},
		"insecure":        {Log: quiet, Insecure: true, TLS: files},
		"no_credentials":  {Log: quiet, Insecure: true},
		"no_certificate":  {Log: quiet, TLS: &grpcapi.TLSFiles{CA: files.CA}},
		"bad_certificate": {Log: quiet, TLS: &grpcapi.TLSFiles{Cert: files.Key, Key: files.Key, CA: files.CA}},
		"no_log":          {TLS: files},
		"no_service":      plain(grpcapi.Options{FleetRobots: grpcapi.NewFleetLink(grpcapi.LinkOptions{})}),
	} {
		_, err := grpcapi.NewServer(o)
		wantReason(t, "NewServer", err, fault.Invalid, reason)
	}
	for reason, o := range map[string]grpcapi.DialOptions{"no_tls": {}, "bad_certificate": {TLS: &grpcapi.TLSFiles{CA: "nowhere.pem"}}} {
		_, err := grpcapi.Dial("dns:///x:1", o)
		wantReason(t, "Dial", err, fault.Invalid, reason)
	}
}
