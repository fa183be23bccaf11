package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"footway/core/fault"
)

// idp is a small identity provider.
type idp struct {
	t         *testing.T
	key       *rsa.PrivateKey
	url       string
	nonce     string // of the last question
	challenge string
	change    func(claims map[string]any) // of the next token
	signWith  *rsa.PrivateKey
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{t: t, key: key, signWith: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.say(w, map[string]any{"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.say(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", p.token)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

func (p *idp) say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if r.PostFormValue("code") != "good" || base64.RawURLEncoding.EncodeToString(sum[:]) != p.challenge || id != "footway" || secret != "our-secret" {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.url, "aud": "footway", "sub": "ana", "email": "ana@gull.example", "email_verified": true, "nonce": p.nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	if p.change != nil {
		p.change(claims)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.signWith, KeyID: "k1"}}, nil)
	if err != nil {
		p.t.Error(err)
		return
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
		return
	}
	signed, err := signer.Sign(body)
	if err != nil {
		p.t.Error(err)
		return
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Error(err)
		return
	}
	p.say(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": text})
}

// begin begins to sign in, and returns what the browser keeps and the state that comes back.
func (p *idp) begin(from *Provider) (keep, state string) {
	p.t.Helper()
	to, keep, err := from.Begin(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	p.nonce, p.challenge = q.Get("nonce"), q.Get("code_challenge")
	if q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != "https://shop.example/merchant/sign-in/provider" || q.Get("response_type") != "code" {
		p.t.Errorf("it sends people to %s", to)
	}
	return keep, q.Get("state")
}

func TestProvider(t *testing.T) {
	p := newIDP(t)
	from, err := New(Options{Issuer: p.url, Client: "footway", Secret: "our-secret", Redirect: "https://shop.example/merchant/sign-in/provider"})
	if err != nil {
		t.Fatal(err)
	}
	keep, state := p.begin(from)
	proof, err := from.Finish(t.Context(), keep, url.Values{"state": {state}, "code": {"good"}})
	if err != nil || proof.Subject != p.url+"|ana" || proof.Email != "ana@gull.example" || !proof.EmailVerified {
		t.Fatalf("Finish = %+v, %v", proof, err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, attack := range map[string]func(keep *string, q url.Values){
		"another state":       func(_ *string, q url.Values) { q.Set("state", "x") },
		"no state":            func(_ *string, q url.Values) { q.Del("state") },
		"another browser":     func(keep *string, _ url.Values) { *keep, _ = p.begin(from) },
		"nothing kept":        func(keep *string, _ url.Values) { *keep = "" },
		"the user said no":    func(_ *string, q url.Values) { q.Del("code"); q.Set("error", "access_denied") },
		"another code":        func(_ *string, q url.Values) { q.Set("code", "bad") },
		"for another client":  func(*string, url.Values) { p.change = func(c map[string]any) { c["aud"] = "other" } },
		"an old token":        func(*string, url.Values) { p.change = func(c map[string]any) { c["exp"] = 5 } },
		"of another provider": func(*string, url.Values) { p.change = func(c map[string]any) { c["iss"] = "https://evil.example" } },
		"a replayed token":    func(*string, url.Values) { p.change = func(c map[string]any) { c["nonce"] = "before" } },
		"signed by another":   func(*string, url.Values) { p.signWith = other },
	} {
		keep, state := p.begin(from)
		p.change, p.signWith = nil, p.key
		q := url.Values{"state": {state}, "code": {"good"}}
		attack(&keep, q)
		if proof, err := from.Finish(t.Context(), keep, q); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %+v, %v; want it refused", name, proof, err)
		}
	}
}

func TestProviderIsAway(t *testing.T) {
	from, err := New(Options{Issuer: "http://127.0.0.1:1", Client: "footway", Redirect: "https://shop.example/x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := from.Begin(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Begin: %v, want unavailable", err)
	}
	for i, bad := range []Options{{}, {Issuer: "x", Client: "c", Redirect: "https://a/b"}, {Issuer: "https://a", Redirect: "https://a/b"}, {Issuer: "https://a", Client: "c"}} {
		if _, err := New(bad); err == nil {
			t.Errorf("New of case %d is no error", i)
		}
	}
	if got := fmt.Sprint(from.Name(), from.Origin()); got != "your company’s sign-inhttp://127.0.0.1:1" {
		t.Error(got)
	}
}
