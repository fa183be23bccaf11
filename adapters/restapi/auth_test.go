package restapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/porttest"
)

func bearing(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// TestRotation replaces a secret while both sides are running.
func TestRotation(t *testing.T) {
	older, newer := "the-first-secret-of-integrations", "the-second-secret-of-integrations"
	c := Caller{Role: RoleService, Name: "integrations"}
	a := &Auth{Tokens: []Token{{func(context.Context) (string, error) { return older, nil }, c}, {func(context.Context) (string, error) { return newer, nil }, c}}}
	want := func(token string, ok bool) {
		t.Helper()
		if got, err := a.caller(bearing(token)); (err == nil) != ok || ok && got != c {
			t.Errorf("%q shows %v, %v; want it believed: %v", token, got, err, ok)
		}
	}
	want(older, true)
	want(newer, true)
	retired := older
	older = "" // not set any more
	want(retired, false)
	want("", false)
	want(newer, true)
	older = "short"
	want("short", false) // no secret at all
}

func TestBrokenSecrets(t *testing.T) {
	broken := func(context.Context) (string, error) { return "", errors.New("no such file") }
	c := Caller{Role: RoleService, Name: "integrations"}
	a := &Auth{Tokens: []Token{{broken, c}, {secret(integrationsToken), c}}}
	if _, err := a.caller(bearing(integrationsToken)); err != nil {
		t.Errorf("a token that is known beside one that cannot be read: %v", err)
	}
	if _, err := a.caller(bearing("another-token-of-somebody")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a token that may be the one that cannot be read: %v; want it unavailable", err)
	}
}

// TestCallersThatSeeTooMuch are refused, whoever made them up.
func TestCallersThatSeeTooMuch(t *testing.T) {
	for _, c := range []Caller{{}, {Role: RoleService}, {Role: RoleMerchant}, {Role: RoleMerchant, Partner: "p", Store: "s"}, {Role: RoleRecipient, Partner: "p"}, {Role: "admin", Name: "x"}, {Role: RoleService, Name: "x"}} {
		a := &Auth{People: func(context.Context, string) (Caller, error) { return c, nil }}
		if got, err := a.caller(bearing("token")); !fault.Is(err, fault.Internal) {
			t.Errorf("%+v is let in as %+v, %v", c, got, err)
		}
	}
	a := &Auth{People: func(context.Context, string) (Caller, error) {
		return Caller{}, fault.New("x", fault.Unavailable, "", "no database")
	}}
	if _, err := a.caller(bearing("token")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("whoever is asked for people is not there: %v", err)
	}
	two := bearing("a")
	two.Header.Add("Authorization", "Bearer "+integrationsToken)
	believes := auth()
	if _, err := believes.caller(two); fault.ReasonOf(err) != reasonUnauthenticated {
		t.Errorf("two authorization headers: %v", err)
	}
}

func TestWhatCallersSee(t *testing.T) {
	d := &delivery.Delivery{ID: "d", Partner: "p", Pickup: delivery.Stop{Store: "cafe/quay"}}
	for _, tt := range []struct {
		c    Caller
		sees bool
	}{
		{Caller{Role: RoleService}, true}, {Caller{Partner: "p"}, true}, {Caller{Partner: "q"}, false},
		{Caller{Partner: "p", Business: "cafe"}, true}, {Caller{Partner: "p", Business: "caf"}, false}, {Caller{Partner: "p", Business: "cafe/quay"}, false},
		{Caller{Partner: "p", Business: "cafe", Store: "quay"}, true}, {Caller{Partner: "p", Business: "cafe", Store: "qua"}, false}, {Caller{Partner: "q", Business: "cafe", Store: "quay"}, false},
		{Caller{Delivery: "d"}, true}, {Caller{Delivery: "e"}, false},
	} {
		if got := tt.c.sees(d); got != tt.sees {
			t.Errorf("%+v sees a delivery of p at cafe/quay: %v, want %v", tt.c, got, tt.sees)
		}
	}
	if (Caller{Partner: "p", Business: "cafe"}).sees(&delivery.Delivery{Partner: "p"}) {
		t.Error("somebody of a business sees what is picked up nowhere in particular")
	}
}

// authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, key}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) issue(t *testing.T, cn string, uris ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: cn}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	for _, text := range uris {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c.URIs = append(c.URIs, u)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// TestCertificates calls over mutual TLS, which is HTTP/2.
func TestCertificates(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	town := porttest.NewDispatchTown(1)
	api := NewDispatch(DispatchDeps{Dispatcher: town.Service, Decisions: town.Service, Bell: NewBell()}, Options{Auth: Auth{TrustDomain: "footway.example"}})
	s := NewServer(api)
	s.HTTP().TLSConfig = &tls.Config{Certificates: []tls.Certificate{ca.issue(t, "server")}, ClientCAs: ca.pool(), ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS13}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	for _, tt := range []struct {
		what string
		cert *tls.Certificate
		kind fault.Kind
		ok   bool
	}{
		{"by SPIFFE id", ptr(ca.issue(t, "anything", "spiffe://footway.example/service/deliveries")), 0, true},
		{"by CN", ptr(ca.issue(t, "service/deliveries")), 0, true},
		{"another service", ptr(ca.issue(t, "service/fleet")), fault.Forbidden, false},
		{"any service", ptr(ca.issue(t, "service/*")), fault.Forbidden, false},
		{"a robot", ptr(ca.issue(t, "robot/r1")), fault.Forbidden, false},
		{"nobody", ptr(ca.issue(t, "")), fault.Forbidden, false},
		{"another trust domain", ptr(ca.issue(t, "service/deliveries", "spiffe://other.example/service/deliveries")), fault.Forbidden, false},
		{"two ids", ptr(ca.issue(t, "x", "spiffe://footway.example/service/deliveries", "spiffe://footway.example/service/fleet")), fault.Forbidden, false},
		{"no certificate", nil, fault.Forbidden, false},
		{"another authority", ptr(stranger.issue(t, "service/deliveries")), fault.Unavailable, false},
	} {
		config := &tls.Config{RootCAs: ca.pool()}
		if tt.cert != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return tt.cert, nil }
		}
		c, err := NewDispatchClient("https://"+l.Addr().String(), ClientOptions{TLS: config})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Withdraw(t.Context(), porttest.Market, "d", 1); (err == nil) != tt.ok || !tt.ok && !fault.Is(err, tt.kind) {
			t.Errorf("%s: %v", tt.what, err)
		}
		c.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func ptr[T any](v T) *T { return &v }
