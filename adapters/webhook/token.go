package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"footway/core/integration"
)

// tokens are those of OAuth, by endpoint.
type tokens struct {
	mu sync.Mutex
	of map[string]*token
}

// token is one endpoint's. Who holds asking may ask for a new one; the others wait for it.
type token struct {
	asking chan struct{}
	text   string
	until  time.Time
	by     string // what it was asked for with
}

func (t *tokens) get(endpoint string) *token {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.of[endpoint]
	if k == nil {
		k = &token{asking: make(chan struct{}, 1)}
		t.of[endpoint] = k
	}
	return k
}

// drop forgets a token that was refused.
func (t *tokens) drop(endpoint string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, endpoint)
}

// How long tokens are used.
const (
	tokenSlack   = 30 * time.Second // before they expire
	tokenUnknown = 5 * time.Minute  // if it is not said
	tokenMost    = 24 * time.Hour
	maxBearer    = 8 << 10
)

// bearer returns an access token for an endpoint: RFC 6749, client credentials.
func (c *Client) bearer(ctx context.Context, e integration.Endpoint, secret integration.Secret) (text, cause string) {
	k := c.tokens.get(e.ID)
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return "", "timeout"
	}
	by := e.Auth.TokenURL + "\n" + e.Auth.User + "\n" + e.Auth.Scope + "\n" + secret.Text()
	if k.text != "" && k.by == by && time.Now().Before(k.until) {
		return k.text, ""
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if e.Auth.Scope != "" {
		form.Set("scope", e.Auth.Scope)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Auth.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "the URL cannot be called"
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.SetBasicAuth(url.QueryEscape(e.Auth.User), url.QueryEscape(string(secret.Bytes())))
	status, _, body, cause := c.do(r, maxAnswer)
	if cause != "" {
		return "", cause
	}
	if status != http.StatusOK {
		return "", "status " + strconv.Itoa(status)
	}
	var got struct {
		Token   string      `json:"access_token"`
		Type    string      `json:"token_type"`
		Expires json.Number `json:"expires_in"`
	}
	if json.Unmarshal(body, &got) != nil || got.Token == "" || len(got.Token) > maxBearer || !strings.EqualFold(got.Type, "bearer") ||
		strings.ContainsFunc(got.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", "the answer holds no bearer token"
	}
	life := tokenUnknown
	if seconds, err := got.Expires.Int64(); err == nil && seconds > 0 {
		life = min(time.Duration(min(seconds, 1<<31))*time.Second, tokenMost)
	}
	k.text, k.by, k.until = got.Token, by, time.Now().Add(life-min(tokenSlack, life/2))
	return k.text, ""
}
