package integrations_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"footway/adapters/integrations"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/integration"
)

// TestForgedTokens tries to get in with tokens that are not a partner's, or no more.
func TestForgedTokens(t *testing.T) {
	w := newWorld(t, nil)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: mustDER(t, &rsaKey.PublicKey)})
	now := w.clock.Now().Std().Unix()
	good := w.token(w.acme).sign(t)
	parts := strings.Split(good, ".")
	raw := func(header, claims string) string {
		enc := base64.RawURLEncoding.EncodeToString
		return enc([]byte(header)) + "." + enc([]byte(claims)) + "."
	}
	const refused = "the token is not signed by a key that is in use"
	forge := func(change func(*jot)) string {
		j := w.token(w.acme)
		change(&j)
		return "Bearer " + j.sign(t)
	}
	for _, c := range []struct{ name, authorization, says string }{
		{"no token", "", ""},
		{"no scheme", good, ""},
		{"another scheme", "Basic " + good, ""},
		{"nothing behind Bearer", "Bearer ", ""},
		{"no token at all", "Bearer x", "JSON web token"},
		{"two dots", "Bearer ..", "JSON web token"},
		{"a huge token", "Bearer " + strings.Repeat("a", 5000), ""},
		{"alg none, no signature", "Bearer " + raw(`{"alg":"none","typ":"JWT","dd-ver":"DD-JWT-V1"}`, fmt.Sprintf(`{"aud":"doordash","iss":%q,"kid":%q,"iat":%d,"exp":%d}`, w.acme.Developer, w.acme.ID, now, now+60)), "HS256"},
		{"alg nOnE", "Bearer " + raw(`{"alg":"nOnE","dd-ver":"DD-JWT-V1"}`, `{}`), ""},
		{"HS256 without a signature", "Bearer " + parts[0] + "." + parts[1] + ".", refused},
		{"HS384 with the right secret", forge(func(j *jot) { j.method = jwt.SigningMethodHS384 }), "HS256"},
		{"HS512 with the right secret", forge(func(j *jot) { j.method = jwt.SigningMethodHS512 }), "HS256"},
		{"RS256 by a key of theirs", forge(func(j *jot) { j.method, j.secret = jwt.SigningMethodRS256, rsaKey }), "HS256"},
		{"ES256 by a key of theirs", forge(func(j *jot) { j.method, j.secret = jwt.SigningMethodES256, ecKey }), "HS256"},
		{"HS256 by a public key", forge(func(j *jot) { j.secret = public }), refused},
		{"the header says RS256, the signature is HS256", forge(func(j *jot) { j.header["alg"] = "RS256" }), ""},
		{"an empty secret", forge(func(j *jot) { j.secret = []byte{} }), refused},
		{"the decoy as secret", forge(func(j *jot) { j.secret = []byte("0123456789abcdef0123456789abcdef"); j.claims["kid"] = "nobody" }), refused},
		{"the secret as it is written, not decoded", forge(func(j *jot) { j.secret = []byte(w.acme.Secret.Text()) }), refused},
		{"another's secret", forge(func(j *jot) { j.secret = w.other.Secret.Bytes() }), refused},
		{"a kid that there is not", forge(func(j *jot) { j.claims["kid"] = "00000000-0000-4000-8000-000000000000" }), refused},
		{"another's kid", forge(func(j *jot) { j.claims["kid"] = w.other.ID }), refused},
		{"no kid", forge(func(j *jot) { delete(j.claims, "kid") }), refused},
		{"kid in the header only", forge(func(j *jot) { delete(j.claims, "kid"); j.header["kid"] = w.acme.ID }), refused},
		{"kid a number", forge(func(j *jot) { j.claims["kid"] = 7 }), ""},
		{"kid a path", forge(func(j *jot) { j.claims["kid"] = "../../etc/passwd" }), refused},
		{"kid a zero byte", forge(func(j *jot) { j.claims["kid"] = "a\x00b" }), refused},
		{"another developer", forge(func(j *jot) { j.claims["iss"] = w.other.Developer }), refused},
		{"no developer", forge(func(j *jot) { delete(j.claims, "iss") }), refused},
		{"no dd-ver", forge(func(j *jot) { delete(j.header, "dd-ver") }), "dd-ver"},
		{"another dd-ver", forge(func(j *jot) { j.header["dd-ver"] = "DD-JWT-V2" }), "dd-ver"},
		{"typ something else", forge(func(j *jot) { j.header["typ"] = "JWE" }), "typ"},
		{"crit", forge(func(j *jot) { j.header["crit"] = []string{"exp"} }), "crit"},
		{"another audience", forge(func(j *jot) { j.claims["aud"] = "uber" }), "aud"},
		{"two audiences", forge(func(j *jot) { j.claims["aud"] = []string{"doordash", "uber"} }), "aud"},
		{"no audience", forge(func(j *jot) { delete(j.claims, "aud") }), "aud"},
		{"expired", forge(func(j *jot) { j.claims["iat"], j.claims["exp"] = now-120, now-60 }), "exp is in the past"},
		{"expires now", forge(func(j *jot) { j.claims["exp"] = now }), "exp is in the past"},
		{"no exp", forge(func(j *jot) { delete(j.claims, "exp") }), "exp"},
		{"exp as text", forge(func(j *jot) { j.claims["exp"] = "tomorrow" }), ""},
		{"exp beyond all time", forge(func(j *jot) { j.claims["exp"] = 1e300 }), ""},
		{"exp at the end of int64", forge(func(j *jot) { j.claims["exp"] = int64(9223372036854775807) }), ""},
		{"no iat", forge(func(j *jot) { delete(j.claims, "iat") }), "iat"},
		{"iat in the future", forge(func(j *jot) { j.claims["iat"], j.claims["exp"] = now+120, now+180 }), "iat"},
		{"too long a life", forge(func(j *jot) { j.claims["exp"] = now + 1801 }), "1800"},
		{"a long life that began long ago", forge(func(j *jot) { j.claims["iat"], j.claims["exp"] = now-3600, now+60 }), "1800"},
		{"nbf in the future", forge(func(j *jot) { j.claims["nbf"] = now + 120 }), "nbf"},
		{"padding behind the signature", "Bearer " + good + "=", ""},
		{"the signature changed", "Bearer " + good[:len(good)-2] + "xx", ""},
		{"more than one dot too many", "Bearer " + good + ".x", "JSON web token"},
		{"type of our tokens, signed by a partner", forge(func(j *jot) { j.header["typ"] = "at+jwt" }), refused},
		{"our token's shape, signed with the decoy", forge(func(j *jot) {
			j.header["typ"], j.header["kid"], j.secret = "at+jwt", "nobody", []byte("0123456789abcdef0123456789abcdef")
			j.claims["aud"], j.claims["iss"], j.claims["sub"] = "footway", "footway", "acme"
		}), refused},
		{"our token's shape, signed with the partner's own secret", forge(func(j *jot) {
			j.header["typ"], j.header["kid"] = "at+jwt", w.tokens[0].ID
			j.claims["aud"], j.claims["iss"], j.claims["sub"] = "footway", "footway", "acme"
		}), refused},
	} {
		g := w.send(w.request(c.authorization, http.MethodGet, "/drive/v2/deliveries/D-1", ""))
		wantError(t, c.name, g, http.StatusUnauthorized, "authentication_error")
		if !strings.Contains(g.field("message"), c.says) || g.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: the message is %q and %v; want it to say %q", c.name, g.field("message"), g.Header, c.says)
		}
	}
	twice := w.request("Bearer "+good, http.MethodGet, "/drive/v2/deliveries/D-1", "")
	twice.Header.Add("Authorization", "Bearer "+good)
	wantError(t, "two headers", w.send(twice), http.StatusUnauthorized, "authentication_error")
	wantError(t, "the good one", w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/D-1", ""), http.StatusNotFound, "unknown_delivery_id")
	for name, j := range map[string]jot{"a clock that is ahead": w.token(w.acme), "the longest life": w.token(w.acme), "an audience in a list": w.token(w.acme)} {
		switch name {
		case "a clock that is ahead":
			j.claims["iat"] = now + 20
		case "the longest life":
			j.claims["exp"] = now + 1800
		default:
			j.claims["aud"] = []string{"doordash"}
		}
		wantError(t, name, w.send(w.request("bearer "+j.sign(t), http.MethodGet, "/drive/v2/deliveries/D-1", "")), http.StatusNotFound, "unknown_delivery_id")
	}
	if logged := w.logged.String(); strings.Contains(logged, parts[2]) || strings.Contains(logged, w.acme.Secret.Text()) {
		t.Error("a token or a secret is in the log")
	}
}

func mustDER(t *testing.T, k *rsa.PublicKey) []byte {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestKeysThatEnd uses keys that were revoked, rotated and suspended.
func TestKeysThatEnd(t *testing.T) {
	w := newWorld(t, nil)
	in := func(what string, k integration.Issued, want bool) {
		t.Helper()
		w.clock.advance(10 * time.Millisecond) // what is remembered of a key is forgotten
		g := w.ask(k, http.MethodGet, "/drive/v2/deliveries/D-1", "")
		if got := g.StatusCode == http.StatusNotFound; got != want {
			t.Errorf("%s: %d %s; want it to get in: %t", what, g.StatusCode, g.body, want)
		}
	}
	second, err := w.registry.RotateKey(t.Context(), "acme", w.acme.ID, 5*clock.Minute)
	if err != nil {
		t.Fatal(err)
	}
	in("the new key", second, true)
	in("the old key while both are good", w.acme, true)
	w.clock.advance(6 * time.Minute)
	in("the old key afterwards", w.acme, false)
	in("the new key afterwards", second, true)
	if _, err := w.registry.RevokeKey(t.Context(), "other", second.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("a partner revokes another's key: %v", err)
	}
	if _, err := w.registry.SuspendPartner(t.Context(), "acme", true); err != nil {
		t.Fatal(err)
	}
	in("a key of a partner that is suspended", second, false)
	if _, err := w.registry.SuspendPartner(t.Context(), "acme", false); err != nil {
		t.Fatal(err)
	}
	in("a key of a partner that was suspended", second, true)
	for range 2 {
		if _, err := w.registry.RevokeKey(t.Context(), "acme", second.ID); err != nil {
			t.Fatal(err)
		}
	}
	in("a revoked key", second, false)
}

// TestTenants asks for another's things: the answer is that of things that there are not.
func TestTenants(t *testing.T) {
	w := newWorld(t, nil)
	if g := w.ask(w.acme, http.MethodPost, "/drive/v2/deliveries", plainOrder); g.StatusCode != http.StatusOK {
		t.Fatal(string(g.body))
	}
	for _, c := range [][3]string{
		{"GET", "/drive/v2/deliveries/%s", ""}, {"PATCH", "/drive/v2/deliveries/%s", `{"tip": 5}`}, {"PUT", "/drive/v2/deliveries/%s/cancel", ""}, {"POST", "/drive/v2/quotes/%s/accept", ""},
	} {
		for _, k := range []integration.Issued{w.other, w.sandbox} {
			theirs, none := w.ask(k, c[0], fmt.Sprintf(c[1], "D-1"), c[2]), w.ask(k, c[0], fmt.Sprintf(c[1], "D-2"), c[2])
			wantError(t, "another's delivery", theirs, http.StatusNotFound, "unknown_delivery_id")
			if got, want := strings.ReplaceAll(string(theirs.body), "D-1", "D-2"), string(none.body); got != want || theirs.StatusCode != none.StatusCode {
				t.Errorf("%s: another's delivery is answered with %s, one that there is not with %s", c[1], got, want)
			}
		}
	}
	e, _, err := w.registry.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "acme", URL: "https://hooks.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	body := func(id string) string { return fmt.Sprintf(`{"endpoint_id": %q, "after": 3}`, id) }
	wantError(t, "another's endpoint", w.ask(w.other, http.MethodPost, "/events/replay", body(e.ID)), http.StatusNotFound, "unknown_endpoint_id")
	wantError(t, "no endpoint", w.ask(w.other, http.MethodPost, "/events/replay", body("none")), http.StatusNotFound, "unknown_endpoint_id")
	if g := w.ask(w.acme, http.MethodPost, "/events/replay", body(e.ID)); g.StatusCode != http.StatusAccepted || len(w.replayed) != 1 || w.replayed[0] != 3 {
		t.Errorf("one's own endpoint: %d %s, replayed %v", g.StatusCode, g.body, w.replayed)
	}
}

// TestMarkets sees that a key reaches its partner's markets only, and that sandbox keys reach no others.
func TestMarkets(t *testing.T) {
	w := newWorld(t, nil)
	ask := func(k integration.Issued, id string, markets ...string) got {
		r := w.request("Bearer "+w.token(k).sign(t), http.MethodPost, "/drive/v2/deliveries", strings.Replace(plainOrder, "D-1", id, 1))
		for _, m := range markets {
			r.Header.Add("Footway-Market", m)
		}
		return w.send(r)
	}
	for _, c := range []struct {
		key     integration.Issued
		markets []string
		lands   string
	}{
		{w.acme, nil, "wedgwood"}, {w.acme, []string{"ballard"}, "ballard"}, {w.acme, []string{"test"}, ""}, {w.acme, []string{"nowhere"}, ""}, {w.acme, []string{"wedgwood", "ballard"}, ""}, {w.acme, []string{""}, ""},
		{w.sandbox, nil, "test"}, {w.sandbox, []string{"wedgwood"}, ""}, {w.other, []string{"ballard"}, ""},
	} {
		id := integrations.Source{}.NewID()
		g := ask(c.key, id, c.markets...)
		if c.lands == "" {
			wantError(t, fmt.Sprint(c.key.Partner, c.markets), g, http.StatusForbidden, "authorization_error")
			continue
		}
		d, err := w.store.ByExternal(t.Context(), c.key.Partner, id)
		if err != nil || string(d.Market) != c.lands || g.StatusCode != http.StatusOK {
			t.Errorf("%s with %v: %d, in market %s, error %v; want %s", c.key.Partner, c.markets, g.StatusCode, d.Market, err, c.lands)
		}
	}
	for k, want := range map[string]int{"acme": 404, "acme-test": 200} {
		key := map[string]integration.Issued{"acme": w.acme, "acme-test": w.sandbox}[k]
		if g := ask(key, "SIM-1"); g.StatusCode != http.StatusOK {
			t.Fatal(string(g.body))
		}
		for _, r := range [][2]string{{http.MethodGet, ""}, {http.MethodPost, `{"delivery_status": "cancelled"}`}} {
			if g := w.ask(key, r[0], "/drive/v2/deliveries/SIM-1/simulation", r[1]); g.StatusCode != want {
				t.Errorf("%s of the simulator by a key of %s: %d %s, want %d", r[0], k, g.StatusCode, g.body, want)
			}
		}
	}
	for name, p := range map[string]integration.Partner{
		"a sandbox partner in a market of real robots": {ID: "x", Name: "x", Environment: integration.Sandbox, Markets: w.marketsOf(t, "acme")},
		"a live partner in a market of simulated ones": {ID: "x", Name: "x", Environment: integration.Live, Markets: w.marketsOf(t, "acme-test")},
	} {
		if _, err := w.registry.AddPartner(t.Context(), p); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

// TestPaths tries to reach what there is not by ways that others on the way might read differently.
func TestPaths(t *testing.T) {
	w := newWorld(t, nil)
	token := "Bearer " + w.token(w.acme).sign(t)
	if g := w.ask(w.acme, http.MethodPost, "/drive/v2/deliveries", plainOrder); g.StatusCode != http.StatusOK {
		t.Fatal(string(g.body))
	}
	for path, want := range map[string]int{
		"/drive/v2/deliveries/D-1": 200, "/drive/v2/deliveries/%44-1": 200, "/drive/v2/deliveries/D-1?x=y": 200,
		"//drive/v2/deliveries/D-1": 404, "/drive//v2/deliveries/D-1": 404, "/drive/v2/deliveries/D-1/": 404, "/drive/./v2/deliveries/D-1": 404, "/drive/x/../v2/deliveries/D-1": 404,
		"/drive/v2/deliveries/%2e%2e/D-1": 404, "/drive/v2%2fdeliveries/D-1": 404, "/drive/v2/deliveries/D-1%2Fcancel": 404, "/drive/v2/deliveries/D-1%5ccancel": 404, "/drive/v2/deliveries/D-1%00": 404,
		"/drive/v2/deliveries/D-1%0d%0aX:%20y": 404, "/drive/v2/deliveries/%ff": 404, "/Drive/v2/deliveries/D-1": 404, "/drive/v2/deliveries/D-1;x=1": 404, "/": 404, "/drive": 404, "/internal": 404, "/metrics": 404, "/debug/pprof/": 404,
		"/drive/v2/deliveries/D-1?x=%zz": 400, "/drive/v2/deliveries/" + strings.Repeat("a", 3000): 400, "/events/": 404, "/events?after=-1": 400, "/events?after=1&after=2": 400, "/events?limit=1000000": 400,
		"/events?wait=99999": 400, "/events?wait=soon": 400, "/events?limit=%00": 400,
	} {
		raw := w.raw(t, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nConnection: close\r\n\r\n", path, token))
		if raw != want {
			t.Errorf("GET %s: %d, want %d", path, raw, want)
		}
	}
	for _, c := range []struct {
		name, request string
		want          int
	}{
		{"absolute form", "GET http://169.254.169.254/drive/v2/deliveries/D-1 HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + "\r\nConnection: close\r\n\r\n", 400},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200}, // net/http answers this by itself, with nothing
		{"CONNECT", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400},
		{"TRACE", "TRACE /drive/v2/deliveries/D-1 HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + "\r\nConnection: close\r\n\r\n", 405},
		{"HEAD", "HEAD /drive/v2/deliveries/D-1 HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + "\r\nConnection: close\r\n\r\n", 405},
		{"two lengths", "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}x", 400},
		{"a length that is none", "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\nConnection: close\r\n\r\n{}", 400},
		{"an unknown transfer encoding", "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nConnection: close\r\n\r\n0\r\n\r\n", 501},
		{"chunked twice", "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n", 501},
		{"space before the colon", "GET /events HTTP/1.1\r\nHost: x\r\nAuthorization : " + token + "\r\nConnection: close\r\n\r\n", 400},
		{"a folded header", "GET /events HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nAuthorization: " + token + "\r\nConnection: close\r\n\r\n", 200},
		{"no host", "GET /events HTTP/1.1\r\nConnection: close\r\n\r\n", 400},
		{"huge headers", "GET /events HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\nConnection: close\r\n\r\n", 431},
		{"a control character in a header", "GET /events HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\nConnection: close\r\n\r\n", 400},
	} {
		if got := w.raw(t, c.request); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestSmuggling sends two requests as one: whoever reads the length sees one, whoever
// reads the chunks two. Ours must end the connection behind the first.
func TestSmuggling(t *testing.T) {
	w := newWorld(t, nil)
	conn := w.dial(t)
	inner := "GET /drive/v2/deliveries/SMUGGLED HTTP/1.1\r\nHost: x\r\n\r\n"
	fmt.Fprintf(conn, "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", 5+len(inner), inner)
	all, _ := io.ReadAll(conn)
	if n := strings.Count(string(all), "HTTP/1.1 "); n != 1 {
		t.Errorf("%d answers to a request with a length and chunks; want one, and the end of the connection:\n%s", n, all)
	}
}

func (w *world) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// raw sends bytes as they are and returns the status of the answer.
func (w *world) raw(t *testing.T, request string) int {
	t.Helper()
	conn := w.dial(t)
	go io.WriteString(conn, request) // the answer tells
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("%.60q: %v", request, err)
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}
