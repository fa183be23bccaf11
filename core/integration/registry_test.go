package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/porttest/fake"
)

func mustJoin(t *testing.T, r *integration.Registry, id delivery.PartnerID) integration.Partner {
	t.Helper()
	p, err := r.AddPartner(t.Context(), integration.Partner{ID: id, Name: "P", Environment: integration.Live, Markets: []market.ID{"m"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAddPartner(t *testing.T) {
	r := newRegistry(fake.NewClock(fake.Start))
	good := integration.Partner{ID: "acme", Name: "Acme", Environment: integration.Live, Markets: []market.ID{"m"}}
	first, err := r.AddPartner(t.Context(), good)
	if err != nil || first.Developer == "" || first.Status != integration.Active {
		t.Fatalf("AddPartner = %+v, %v", first, err)
	}
	if again, err := r.AddPartner(t.Context(), good); err != nil || again.Developer != first.Developer {
		t.Errorf("a repeat returns %+v, %v; want the same", again, err)
	}
	for name, c := range map[string]struct {
		change func(*integration.Partner)
		kind   fault.Kind
	}{
		"another name":                 {func(p *integration.Partner) { p.Name = "Other" }, fault.Conflict},
		"no id":                        {func(p *integration.Partner) { p.ID = "" }, fault.Invalid},
		"an id with a slash":           {func(p *integration.Partner) { p.ID = "a/b" }, fault.Invalid},
		"a long id":                    {func(p *integration.Partner) { p.ID = delivery.PartnerID(strings.Repeat("a", 65)) }, fault.Invalid},
		"no name":                      {func(p *integration.Partner) { p.Name = "" }, fault.Invalid},
		"no environment":               {func(p *integration.Partner) { p.Environment = "" }, fault.Invalid},
		"no market":                    {func(p *integration.Partner) { p.Markets = nil }, fault.Invalid},
		"an unknown market":            {func(p *integration.Partner) { p.Markets = []market.ID{"m", "x"} }, fault.Invalid},
		"live, with simulated robots":  {func(p *integration.Partner) { p.Markets = []market.ID{"m", "test"} }, fault.Invalid},
		"a sandbox, with real robots":  {func(p *integration.Partner) { p.ID, p.Environment = "s", integration.Sandbox }, fault.Invalid},
		"far too many markets for one": {func(p *integration.Partner) { p.Markets = make([]market.ID, 101) }, fault.Invalid},
	} {
		p := good.Clone()
		c.change(&p)
		if _, err := r.AddPartner(t.Context(), p); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
	all, err := r.List(t.Context(), "")
	if err != nil || len(all) != 1 {
		t.Errorf("List = %v, %v; want one", all, err)
	}
}

func TestKeys(t *testing.T) {
	now := fake.NewClock(fake.Start)
	r := newRegistry(now)
	if _, err := r.IssueKey(t.Context(), "nobody"); !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != integration.UnknownPartner {
		t.Errorf("IssueKey for nobody = %v", err)
	}
	p := mustJoin(t, r, "p")
	k, err := r.IssueKey(t.Context(), "p")
	if err != nil || k.Developer != p.Developer {
		t.Fatal(k, err)
	}
	proves := func(id string, want bool) {
		t.Helper()
		c, known, err := r.Credential(t.Context(), id)
		if err != nil || known != want || want && (c.Partner.ID != "p" || len(c.Secret.Bytes()) == 0) || !want && len(c.Secret.Bytes()) > 0 {
			t.Errorf("Credential(%s) = %+v, %t, %v; want %t", id, c, known, err, want)
		}
	}
	proves(k.ID, true)
	proves("none", false)
	proves("", false)
	second, err := r.RotateKey(t.Context(), "p", k.ID, clock.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if second.Secret.Equal(k.Secret) {
		t.Error("the new key has the old secret")
	}
	now.Advance(clock.Hour - 1)
	proves(k.ID, true)
	now.Advance(1)
	proves(k.ID, false)
	proves(second.ID, true)
	if _, err := r.RotateKey(t.Context(), "p", k.ID, clock.Hour); err != nil {
		t.Fatal(err)
	}
	proves(k.ID, false) // a key does not come back by being rotated
	if _, err := r.RevokeKey(t.Context(), "p", second.ID); err != nil {
		t.Fatal(err)
	}
	proves(second.ID, false)
	if _, err := r.Secrets.Secret(t.Context(), second.SecretName()); !fault.Is(err, fault.NotFound) {
		t.Errorf("the secret of a revoked key is still there: %v", err)
	}
	for range 30 {
		if _, err = r.IssueKey(t.Context(), "p"); err != nil {
			break
		}
	}
	if !fault.Is(err, fault.Exhausted) {
		t.Errorf("the 31st key of a partner: %v, want a limit", err)
	}
	if keys, err := r.PartnerKeys(t.Context(), "p"); err != nil || len(keys) < 20 {
		t.Errorf("PartnerKeys = %d, %v", len(keys), err)
	}
}

func TestUsable(t *testing.T) {
	for _, c := range []struct {
		key  integration.Key
		want bool
	}{
		{integration.Key{}, true}, {integration.Key{ExpiresAt: 11}, true}, {integration.Key{ExpiresAt: 10}, false}, {integration.Key{RevokedAt: 5}, false}, {integration.Key{ExpiresAt: 11, RevokedAt: 20}, false},
	} {
		if got := c.key.Usable(10); got != c.want {
			t.Errorf("%+v is usable at 10: %t, want %t", c.key, got, c.want)
		}
	}
}

func TestAddEndpoint(t *testing.T) {
	r := newRegistry(fake.NewClock(fake.Start))
	mustJoin(t, r, "p")
	password := integration.SecretOf([]byte("p"))
	good := integration.NewEndpoint{Partner: "p", URL: "https://a.example/"}
	for name, c := range map[string]struct {
		change func(*integration.NewEndpoint)
		ok     bool
	}{
		"plain":       {func(*integration.NewEndpoint) {}, true},
		"with events": {func(n *integration.NewEndpoint) { n.Events = []string{"DASHER_PICKED_UP"} }, true},
		"basic": {func(n *integration.NewEndpoint) {
			n.Auth, n.Password = integration.Auth{Kind: integration.BasicAuth, User: "u"}, password
		}, true},
		"basic without a password": {func(n *integration.NewEndpoint) { n.Auth = integration.Auth{Kind: integration.BasicAuth, User: "u"} }, false},
		"basic, a colon in the user": {func(n *integration.NewEndpoint) {
			n.Auth, n.Password = integration.Auth{Kind: integration.BasicAuth, User: "u:v"}, password
		}, false},
		"oauth": {func(n *integration.NewEndpoint) {
			n.Auth, n.Password = integration.Auth{Kind: integration.OAuth, User: "u", TokenURL: "https://t.example"}, password
		}, true},
		"oauth, tokens from elsewhere": {func(n *integration.NewEndpoint) {
			n.Auth, n.Password = integration.Auth{Kind: integration.OAuth, User: "u", TokenURL: "http://10.0.0.1"}, password
		}, false},
		"another kind":           {func(n *integration.NewEndpoint) { n.Auth.Kind = "mtls" }, false},
		"a password for nothing": {func(n *integration.NewEndpoint) { n.Password = password }, false},
		"a URL that must not be": {func(n *integration.NewEndpoint) { n.URL = "http://a.example" }, false},
		"an event of odd name":   {func(n *integration.NewEndpoint) { n.Events = []string{"a b"} }, false},
		"too many events":        {func(n *integration.NewEndpoint) { n.Events = strings.Split(strings.Repeat("A,", 60)+"A", ",") }, false},
	} {
		n := good
		c.change(&n)
		e, secret, err := r.AddEndpoint(t.Context(), n)
		if c.ok != (err == nil) || !c.ok && (!fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != integration.BadEndpoint) {
			t.Errorf("%s: %v; want it taken: %t", name, err, c.ok)
		}
		if err != nil {
			continue
		}
		p, err := r.Proofs(t.Context(), e)
		if err != nil || len(p.Signing) != 1 || !p.Signing[0].Equal(secret) || (e.Auth.Kind != integration.NoAuth) != p.Password.Equal(password) {
			t.Errorf("%s: Proofs = %+v, %v", name, p, err)
		}
	}
	if _, _, err := r.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "q", URL: "https://a.example/"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("AddEndpoint for nobody = %v", err)
	}
}

// TestRotateSigning rotates from two places at once: each is told the secret that it made.
func TestRotateSigning(t *testing.T) {
	now := fake.NewClock(fake.Start)
	r := newRegistry(now)
	r.Source = &locked{s: r.Source}
	mustJoin(t, r, "p")
	e, first, err := r.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", URL: "https://a.example/"})
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, secrets ...integration.Secret) {
		t.Helper()
		e, err := r.OwnEndpoint(t.Context(), integration.Owner{Partner: "p"}, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Proofs(t.Context(), e)
		same := err == nil && len(p.Signing) == len(secrets)
		for i := range secrets {
			same = same && p.Signing[i].Equal(secrets[i])
		}
		if !same {
			t.Errorf("%s: %d secrets, %v; want %d in order", what, len(p.Signing), err, len(secrets))
		}
	}
	want("at first", first)
	_, second, err := r.RotateSigning(t.Context(), integration.Owner{Partner: "p"}, e.ID, clock.Hour)
	if err != nil {
		t.Fatal(err)
	}
	want("rotated", second, first)
	now.Advance(clock.Hour)
	want("an hour later", second)
	var wg sync.WaitGroup
	made := make([]integration.Secret, 2)
	for i := range made {
		wg.Go(func() {
			var err error
			if _, made[i], err = r.RotateSigning(t.Context(), integration.Owner{Partner: "p"}, e.ID, clock.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	e, err = r.OwnEndpoint(t.Context(), integration.Owner{Partner: "p"}, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Proofs(t.Context(), e)
	if err != nil || len(p.Signing) != 2 || !(p.Signing[0].Equal(made[0]) && p.Signing[1].Equal(made[1]) || p.Signing[0].Equal(made[1]) && p.Signing[1].Equal(made[0])) {
		t.Errorf("after two rotations at once the endpoint has %d secrets, %v; want the two that were made", len(p.Signing), err)
	}
}

// locked is a source for several at once.
type locked struct {
	mu sync.Mutex
	s  integration.Source
}

func (l *locked) NewID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.s.NewID()
}

func (l *locked) NewSecret() integration.Secret {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.s.NewSecret()
}

// TestSecretsStaySecret prints secrets in all ways there are.
func TestSecretsStaySecret(t *testing.T) {
	s := integration.SecretOf([]byte("hunter2-hunter2"))
	marshalled, err := json.Marshal(map[string]any{"s": s, "issued": integration.Issued{Secret: s}, "proofs": integration.Proofs{Signing: []integration.Secret{s}}})
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&all, verb+verb, s, integration.Credential{Secret: s})
	}
	all.Write(marshalled)
	for _, bad := range []string{"hunter2", s.Text(), fmt.Sprintf("%x", "hunter2"), "104 117"} {
		if strings.Contains(all.String(), bad) {
			t.Errorf("%q is shown in %s", bad, all.String())
		}
	}
	for _, text := range []string{s.Text(), s.Text() + "=", "aHVudGVyMi1odW50ZXIy"} {
		if got, ok := integration.ParseSecret(text); !ok && !strings.HasSuffix(text, "=") || ok && !got.Equal(s) {
			t.Errorf("ParseSecret(%q) = %t", text, ok)
		}
	}
	if _, ok := integration.ParseSecret(""); ok || (integration.Secret{}).Equal(integration.Secret{}) {
		t.Error("an empty secret is a secret")
	}
	own := []byte("mine")
	kept := integration.SecretOf(own)
	own[0] = 'x'
	if string(kept.Bytes()) != "mine" {
		t.Error("a secret shares its bytes with the caller")
	}
}
