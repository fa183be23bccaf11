package webhook

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"footway/core/clock"
	"footway/core/integration"
)

// local are the servers of tests.
var local = Addresses{Allow: prefixes("127.0.0.0/8"), Plain: true}

func secret(text string) integration.Secret { return integration.SecretOf([]byte(text)) }

// sendTo makes one attempt at a server.
func sendTo(t *testing.T, o Options, h http.HandlerFunc) integration.Outcome {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then the server sees that a client goes
		h(w, r)
	}))
	t.Cleanup(s.Close)
	o.Addresses = local
	c := NewClient(o)
	t.Cleanup(c.Close)
	return c.Send(t.Context(), integration.Endpoint{ID: "e", URL: s.URL + "/hook", Auth: integration.Auth{Kind: integration.NoAuth}},
		integration.Proofs{Signing: []integration.Secret{secret("one")}}, Message{ID: "evt_d_1", At: clock.Of(time.Now()), Body: []byte(`{"a":1}`)})
}

// TestSignature has an independent implementation check ours, also while secrets are rotated.
func TestSignature(t *testing.T) {
	older, newer, other := secret("the older secret, of some length"), secret("the newer secret, of some length"), secret("another secret, of some length...")
	type call struct {
		h    http.Header
		body []byte
	}
	var got call
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = call{r.Header.Clone(), b}
	}))
	t.Cleanup(s.Close)
	c := NewClient(Options{Addresses: local})
	for _, rotated := range []bool{false, true} {
		p := integration.Proofs{Signing: []integration.Secret{newer}}
		if rotated {
			p.Signing = append(p.Signing, older)
		}
		o := c.Send(t.Context(), integration.Endpoint{ID: "e", URL: s.URL, Auth: integration.Auth{Kind: integration.NoAuth}}, p, Message{ID: "evt_d_1", At: clock.Of(time.Now()), Body: []byte(`{"name":"é"}`)})
		if o.Verdict != integration.Taken {
			t.Fatal(o)
		}
		for name, want := range map[string]struct {
			secret integration.Secret
			ok     bool
		}{"newer": {newer, true}, "older": {older, rotated}, "other": {other, false}} {
			w, err := standard.NewWebhook(want.secret.WebhookText())
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Verify(got.body, got.h); (err == nil) != want.ok {
				t.Errorf("rotated %t, by the %s secret: %v; want it to fit: %t", rotated, name, err, want.ok)
			}
			if err := w.Verify(append(got.body, ' '), got.h); err == nil {
				t.Errorf("a body that was changed fits the %s secret", name)
			}
		}
	}
	if got.h.Get("Content-Type") != "application/json" || got.h.Get("Webhook-Id") != "evt_d_1" || got.h.Get("Authorization") != "" {
		t.Errorf("headers %v", got.h)
	}
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		status  int
		after   string
		verdict integration.Verdict
		wait    clock.Duration
	}{
		{200, "", integration.Taken, 0}, {201, "", integration.Taken, 0}, {204, "", integration.Taken, 0},
		{301, "", integration.Failed, 0}, {307, "", integration.Failed, 0}, {400, "", integration.Refused, 0}, {401, "", integration.Failed, 0}, {403, "", integration.Failed, 0}, {404, "", integration.Failed, 0},
		{408, "", integration.Failed, 0}, {409, "", integration.Refused, 0}, {410, "", integration.Closed, 0}, {413, "", integration.Refused, 0}, {422, "", integration.Refused, 0},
		{429, "120", integration.Failed, 2 * clock.Minute}, {429, "", integration.Failed, 0}, {429, "-5", integration.Failed, 0}, {429, "soon", integration.Failed, 0}, {500, "", integration.Failed, 0},
		{503, "7", integration.Failed, 7 * clock.Second}, {503, "999999999", integration.Failed, 24 * clock.Hour}, {503, "Mon, 02 Jan 2006 15:04:05 GMT", integration.Failed, 0}, {504, "60", integration.Failed, 0},
	} {
		o := sendTo(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
		})
		if o.Verdict != c.verdict || o.After != c.wait || c.verdict != integration.Taken && !strings.Contains(o.Cause, fmt.Sprint(c.status)) {
			t.Errorf("status %d, Retry-After %q: %+v; want verdict %d, wait %s", c.status, c.after, o, c.verdict, c.wait)
		}
	}
}

// TestRedirect wants nobody to be led to where the cloud keeps its credentials.
func TestRedirect(t *testing.T) {
	for _, to := range []string{"http://169.254.169.254/latest/meta-data/", "/again"} {
		calls := 0
		o := sendTo(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
			calls++
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		})
		if o.Verdict != integration.Failed || calls != 1 {
			t.Errorf("a redirect to %s: %+v after %d calls; want it failed after one", to, o, calls)
		}
	}
}

// TestBadEndpoints wants each attempt to end in time, and to take little.
func TestBadEndpoints(t *testing.T) {
	const limit = 300 * time.Millisecond
	for name, c := range map[string]struct {
		serve   http.HandlerFunc
		verdict integration.Verdict
	}{
		"never answers": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, integration.Failed},
		"headers for ever": {func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			for i := 0; err == nil; i++ {
				_, err = fmt.Fprintf(conn, "%s%d: x\r\n", map[bool]string{true: "HTTP/1.1 200 OK\r\nA", false: "A"}[i == 0], i)
				time.Sleep(time.Millisecond)
			}
		}, integration.Failed},
		"a body for ever, a byte at a time": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.Write([]byte("x")) // until the client goes
				http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, integration.Taken}, // it said 200
		"a body without end, fast": {func(w http.ResponseWriter, _ *http.Request) {
			var err error
			for b := make([]byte, 1<<16); err == nil; {
				_, err = w.Write(b)
			}
		}, integration.Taken},
		"huge headers": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, integration.Failed},
		"hangs up":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, integration.Failed},
		"no http": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(conn, "220 smtp ready\r\n")
				conn.Close()
			}
		}, integration.Failed},
	} {
		began := time.Now()
		o := sendTo(t, Options{Timeout: limit}, c.serve)
		if took := time.Since(began); o.Verdict != c.verdict || took > 5*limit {
			t.Errorf("%s: %+v after %s; want verdict %d within %s", name, o, took, c.verdict, limit)
		}
	}
	c := NewClient(Options{Addresses: local, Timeout: limit})
	closed := httptest.NewServer(nil)
	closed.Close()
	if o := c.Send(t.Context(), integration.Endpoint{URL: closed.URL}, integration.Proofs{}, Message{}); o.Verdict != integration.Failed || strings.Contains(o.Cause, "127") {
		t.Errorf("nobody there: %+v", o)
	}
}

// TestSlowBody wants an endpoint that said 200 to be done with, though an attempt might take longer.
func TestSlowBody(t *testing.T) {
	began := time.Now()
	o := sendTo(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			w.Write([]byte("x")) // until the client goes
			http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	if took := time.Since(began); o.Verdict != integration.Taken || took > 3*bodyTime {
		t.Errorf("%+v after %s; want it taken within %s or so", o, took, bodyTime)
	}
}

// TestNoProxy wants the environment to lead no webhook anywhere. It looks into the
// transport, since net/http reads the environment only once.
func TestNoProxy(t *testing.T) {
	transport, ok := NewClient(Options{}).http.Transport.(*http.Transport)
	if !ok || transport.Proxy != nil {
		t.Error("webhooks may go through a proxy, which then resolves their names")
	}
}

func TestBasicAuth(t *testing.T) {
	var user, password string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { user, password, _ = r.BasicAuth() }))
	t.Cleanup(s.Close)
	c := NewClient(Options{Addresses: local})
	c.Send(t.Context(), integration.Endpoint{URL: s.URL, Auth: integration.Auth{Kind: integration.BasicAuth, User: "u"}}, integration.Proofs{Password: secret("p:w")}, Message{})
	if user != "u" || password != "p:w" {
		t.Errorf("got %q, %q", user, password)
	}
}

// tokenServer is an endpoint with OAuth and its token endpoint.
type tokenServer struct {
	mu     sync.Mutex
	asked  int
	answer func(n int) (int, string)
	seen   []string // Authorization of webhooks
	status int
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path != "/token" {
		s.seen = append(s.seen, r.Header.Get("Authorization"))
		w.WriteHeader(s.status)
		return
	}
	s.asked++
	user, password, _ := r.BasicAuth()
	if user, _ = url.QueryUnescape(user); user != "client:1" || password != url.QueryEscape("p w") || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "hooks" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	status, body := s.answer(s.asked)
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func TestOAuth(t *testing.T) {
	for name, c := range map[string]struct {
		answer  func(n int) (int, string)
		status  int
		verdict integration.Verdict
		asked   int // in three attempts
		last    string
	}{
		"a token for an hour": {func(n int) (int, string) {
			return 200, fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, n)
		}, 200, integration.Taken, 1, "Bearer t1"},
		"a token for a moment": {func(n int) (int, string) {
			return 200, fmt.Sprintf(`{"access_token":"t%d","token_type":"bearer","expires_in":0.0001}`, n)
		}, 200, integration.Taken, 1, "Bearer t1"}, // no number of seconds: as if it did not say
		"refused at the door": {func(n int) (int, string) {
			return 200, fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer"}`, n)
		}, 401, integration.Failed, 3, "Bearer t3"},
		"no token":      {func(int) (int, string) { return 200, `{}` }, 200, integration.Failed, 3, ""},
		"an odd token":  {func(int) (int, string) { return 200, `{"access_token":"a\r\nX: y","token_type":"Bearer"}` }, 200, integration.Failed, 3, ""},
		"another type":  {func(int) (int, string) { return 200, `{"access_token":"a","token_type":"mac"}` }, 200, integration.Failed, 3, ""},
		"an error":      {func(int) (int, string) { return 500, `{}` }, 200, integration.Failed, 3, ""},
		"a redirect":    {func(int) (int, string) { return 307, `` }, 200, integration.Failed, 3, ""},
		"a huge answer": {func(int) (int, string) { return 200, strings.Repeat(" ", 1<<20) }, 200, integration.Failed, 3, ""},
		"not JSON":      {func(int) (int, string) { return 200, `<html>` }, 200, integration.Failed, 3, ""},
		"a huge number": {func(int) (int, string) {
			return 200, `{"access_token":"t","token_type":"Bearer","expires_in":9223372036854775807}`
		}, 200, integration.Taken, 1, "Bearer t"},
		"a minus number": {func(int) (int, string) { return 200, `{"access_token":"t","token_type":"Bearer","expires_in":-1}` }, 200, integration.Taken, 1, "Bearer t"},
	} {
		srv := &tokenServer{answer: c.answer, status: c.status}
		s := httptest.NewServer(srv)
		client := NewClient(Options{Addresses: local})
		e := integration.Endpoint{ID: "e", URL: s.URL + "/hook", Auth: integration.Auth{Kind: integration.OAuth, User: "client:1", TokenURL: s.URL + "/token", Scope: "hooks"}}
		var o integration.Outcome
		for range 3 {
			o = client.Send(t.Context(), e, integration.Proofs{Password: secret("p w")}, Message{ID: "m"})
		}
		last := ""
		if len(srv.seen) > 0 {
			last = srv.seen[len(srv.seen)-1]
		}
		if o.Verdict != c.verdict || srv.asked != c.asked || last != c.last {
			t.Errorf("%s: %+v, %d tokens asked for, the last one %q; want verdict %d, %d, %q", name, o, srv.asked, last, c.verdict, c.asked, c.last)
		}
		s.Close()
	}
}

// TestOAuthExpires uses a token until it runs out, and then asks for another.
func TestOAuthExpires(t *testing.T) {
	srv := &tokenServer{status: 200, answer: func(n int) (int, string) {
		return 200, fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer","expires_in":1}`, n)
	}}
	s := httptest.NewServer(srv)
	t.Cleanup(s.Close)
	c := NewClient(Options{Addresses: local})
	e := integration.Endpoint{ID: "e", URL: s.URL, Auth: integration.Auth{Kind: integration.OAuth, User: "client:1", TokenURL: s.URL + "/token", Scope: "hooks"}}
	began := time.Now()
	eventually(t, "another token", func() bool {
		c.Send(t.Context(), e, integration.Proofs{Password: secret("p w")}, Message{ID: "m"})
		return srv.asked > 1
	})
	if took := time.Since(began); took < 400*time.Millisecond || srv.seen[len(srv.seen)-1] != "Bearer t2" {
		t.Errorf("another token after %s, and the last webhook has %s", took, srv.seen[len(srv.seen)-1])
	}
	c.Send(t.Context(), e, integration.Proofs{Password: secret("another")}, Message{ID: "m"})
	if srv.asked != 3 {
		t.Errorf("%d tokens asked for once the secret was changed; want 3", srv.asked)
	}
}

// TestOAuthOnce has many webhooks at once ask for one token.
func TestOAuthOnce(t *testing.T) {
	srv := &tokenServer{status: 200, answer: func(int) (int, string) { return 200, `{"access_token":"t","token_type":"Bearer","expires_in":3600}` }}
	s := httptest.NewServer(srv)
	t.Cleanup(s.Close)
	c := NewClient(Options{Addresses: local})
	e := integration.Endpoint{ID: "e", URL: s.URL, Auth: integration.Auth{Kind: integration.OAuth, User: "client:1", TokenURL: s.URL + "/token", Scope: "hooks"}}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { c.Send(t.Context(), e, integration.Proofs{Password: secret("p w")}, Message{ID: "m"}) })
	}
	wg.Wait()
	if srv.asked != 1 || len(srv.seen) != 20 {
		t.Errorf("%d tokens for %d webhooks; want 1 for 20", srv.asked, len(srv.seen))
	}
}
