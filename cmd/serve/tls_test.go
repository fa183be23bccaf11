package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"footway/adapters/grpcapi"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/cmd/stores"
	"footway/core/fault"
	"footway/core/market"
)

// authority issues certificates.
type authority struct {
	t      *testing.T
	folder string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, folder: t.TempDir(), serial: 1}
	a.key = a.newKey()
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.write("ca.pem", a.sign(a.cert, &a.key.PublicKey))
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func (a *authority) sign(c *x509.Certificate, of *ecdsa.PublicKey) *pem.Block {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, of, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return &pem.Block{Type: "CERTIFICATE", Bytes: der}
}

func (a *authority) write(name string, b *pem.Block) string {
	a.t.Helper()
	path := filepath.Join(a.folder, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue writes a certificate for spiffe://footway.test/ID, under that name, and returns its files.
func (a *authority) issue(name, id string) (cert, key string) {
	a.t.Helper()
	a.serial++
	k := a.newKey()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: id}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, URIs: []*url.URL{{Scheme: "spiffe", Host: "footway.test", Path: "/" + id}},
	}
	return a.write(name+".pem", a.sign(c, &k.PublicKey)), a.write(name+".key", &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// secure has each service show a certificate in place of a token.
func (in *installation) secure(a *authority) map[string]stores.Deployment {
	in.t.Helper()
	all := map[string]stores.Deployment{}
	for _, name := range stores.ServiceNames {
		s := in.d.Services.Of(name)
		s.Token = secret.Reference{}
		if name == "deliveries" || name == "dispatch" {
			s.Address = "https://" + s.Listen
		}
	}
	for _, name := range stores.ServiceNames {
		d := in.d
		d.Security.Wires, d.Security.TrustDomain, d.Security.CA = "mtls", "footway.test", filepath.Join(a.folder, "ca.pem")
		d.Security.Certificate, d.Security.Key = a.issue(name, "service/"+name)
		all[name] = d
	}
	return all
}

// TestCertificates has services know each other by certificates alone.
func TestCertificates(t *testing.T) {
	in, a := install(t), newAuthority(t)
	in.split()
	each := in.secure(a)
	for _, name := range stores.ServiceNames {
		in.start(each[name], name)
	}
	// The door asks Deliveries for a quote, which asks Dispatch for an estimate, which asks Maps and Fleet: all wires at once.
	quote := func(id string) {
		t.Helper()
		for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
			code, answer := in.ask("POST", in.d.Services.Integrations.Listen, "/drive/v2/quotes", in.order(id))
			if reason, _ := answer["robot_reason"].(string); code == 422 && reason == "footway.no_capacity" {
				return // there are no robots, which only Fleet can know
			}
			if time.Now().After(end) {
				t.Fatalf("quote: %d %v", code, answer)
			}
		}
	}
	quote("first")

	ask := func(id string) error {
		cert, key := a.issue("caller", id)
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(a.parsed())
		c, err := restapi.NewDeliveriesClient(each["deliveries"].Services.Deliveries.Address, restapi.ClientOptions{TLS: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: []tls.Certificate{pair}}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Search(t.Context(), market.ID(here), "Quay", 1)
		return err
	}
	if err := ask("service/integrations"); err != nil {
		t.Errorf("Integrations is refused: %v", err)
	}
	for _, id := range []string{"service/fleet", "robot/r1", "service/", "people"} {
		if err := ask(id); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%q searches for addresses: %v; want it refused", id, err)
		}
	}
	cert, key := a.issue("stranger", "service/deliveries")
	cc, err := grpcapi.Dial(in.d.Services.Fleet.Address, grpcapi.DialOptions{TLS: &grpcapi.TLSFiles{Cert: cert, Key: key, CA: filepath.Join(a.folder, "ca.pem")}})
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := grpcapi.NewFleetClient(cc).Docks(ctx, here); !fault.Is(err, fault.Forbidden) {
		t.Errorf("Deliveries asks Fleet for its docks: %v; want it refused", err)
	}

	// Certificates are replaced while everything runs.
	for _, name := range stores.ServiceNames {
		a.issue(name, "service/"+name)
	}
	quote("second")
}

func (a *authority) parsed() *x509.Certificate {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.folder, "ca.pem"))
	if err != nil {
		a.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}
