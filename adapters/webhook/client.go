package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"footway/core/clock"
	"footway/core/integration"
)

const (
	attemptTime = time.Duration(integration.MaxAttempt) * time.Millisecond
	connectTime = 4 * time.Second
	bodyTime    = time.Second // for an answer's body, which nobody reads
	maxAnswer   = 16 << 10    // bytes of it
	maxAfter    = 24 * time.Hour
)

// Options are what a Client may have beside its addresses; the zero value works.
type Options struct {
	Addresses Addresses
	Resolver  *net.Resolver // nil: the system's
	TLS       *tls.Config   // nil: the system's roots
	// Transport wraps what makes attempts, such as to trace them; nil: nothing does.
	Transport func(http.RoundTripper) http.RoundTripper
	Timeout   time.Duration // of an attempt; 0, or more than the core allows: as long as that allows
}

// Client makes attempts. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	timeout time.Duration
	tokens  tokens
}

// NewClient returns a client.
func NewClient(o Options) *Client {
	if o.Timeout <= 0 || o.Timeout > attemptTime {
		o.Timeout = attemptTime
	}
	t := &http.Transport{
		Proxy: nil, DialContext: o.Addresses.dialer(o.Resolver).DialContext, TLSClientConfig: o.TLS, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: connectTime, ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: maxAnswer, DisableCompression: true,
		MaxIdleConns: 1000, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
	}
	c := &Client{timeout: o.Timeout, http: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if o.Transport != nil {
		c.http.Transport = o.Transport(t)
	}
	c.tokens.of = map[string]*token{}
	return c
}

// Close lets connections go that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Message is one webhook.
type Message struct {
	ID   string // the same with each attempt
	At   clock.Time
	Body []byte // JSON
}

// Send makes one attempt.
func (c *Client) Send(ctx context.Context, e integration.Endpoint, p integration.Proofs, m Message) integration.Outcome {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(m.Body))
	if err != nil {
		return failed("the URL cannot be called")
	}
	stamp := strconv.FormatInt(int64(m.At)/1000, 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Footway-Webhooks/1")
	r.Header["webhook-id"] = []string{m.ID} // Standard Webhooks writes them small
	r.Header["webhook-timestamp"] = []string{stamp}
	r.Header["webhook-signature"] = []string{signatures(p.Signing, m.ID, stamp, m.Body)}
	if e.Dialect == integration.Uber {
		r.Header.Set("X-Uber-Signature", uberSignature(p.Signing, m.Body))
	}
	switch e.Auth.Kind {
	case integration.BasicAuth:
		r.SetBasicAuth(e.Auth.User, string(p.Password.Bytes()))
	case integration.OAuth:
		bearer, cause := c.bearer(ctx, e, p.Password)
		if cause != "" {
			return failed("token endpoint: " + cause)
		}
		r.Header.Set("Authorization", "Bearer "+bearer)
	case integration.NoAuth:
	}
	status, header, _, cause := c.do(r, 0)
	if status == http.StatusUnauthorized {
		c.tokens.drop(e.ID)
	}
	return outcome(status, header, cause)
}

// signatures returns one signature for each secret, as Standard Webhooks has it.
func signatures(secrets []integration.Secret, id, stamp string, body []byte) string {
	all := make([]string, len(secrets))
	for i, s := range secrets {
		mac := hmac.New(sha256.New, s.Bytes())
		io.WriteString(mac, id+"."+stamp+".") //nolint:errcheck // a hash never fails
		mac.Write(body)
		all[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(all, " ")
}

// uberSignature returns the signature that receivers of Uber Direct's webhooks
// check beside ours: HMAC-SHA-256 of the body, in hexadecimal, under the secret's
// text as it was shown. There is room for one only, by the newest secret.
func uberSignature(secrets []integration.Secret, body []byte) string {
	if len(secrets) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(secrets[0].WebhookText()))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// do makes a request and returns the answer, with its body up to keep bytes. cause says why there is none.
func (c *Client) do(r *http.Request, keep int64) (status int, h http.Header, body []byte, cause string) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	resp, err := c.http.Do(r.WithContext(ctx))
	if err != nil {
		return 0, nil, nil, causeOf(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read as far as it is wanted
	defer time.AfterFunc(bodyTime, cancel).Stop()
	if keep > 0 {
		body, err = io.ReadAll(io.LimitReader(resp.Body, keep+1))
		if err != nil || int64(len(body)) > keep {
			return 0, nil, nil, "the answer is too long or broke off"
		}
		return resp.StatusCode, resp.Header, body, ""
	}
	// What is said is of no interest, but a connection is used again only if it was read.
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	return resp.StatusCode, resp.Header, nil, ""
}

// causeOf puts an error of the network into words that tell nothing of where it went.
func causeOf(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errAddress):
		return "the address is not one that partners may name"
	case errors.As(err, &dns):
		return "the name cannot be resolved"
	case errors.As(err, &verify), errors.As(err, &record):
		return "TLS failed"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "the connection failed"
}

func failed(cause string) integration.Outcome {
	return integration.Outcome{Verdict: integration.Failed, Cause: cause}
}

// outcome says what an answer means.
func outcome(status int, h http.Header, cause string) integration.Outcome {
	text := "status " + strconv.Itoa(status)
	switch {
	case cause != "":
		return failed(cause)
	case status >= 200 && status < 300:
		return integration.Outcome{Verdict: integration.Taken, Cause: text}
	case status == http.StatusGone:
		return integration.Outcome{Verdict: integration.Closed, Cause: text}
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return integration.Outcome{Verdict: integration.Failed, Cause: text, After: retryAfter(h.Get("Retry-After"), time.Now())}
	case status >= 500 || status < 400, // a redirect would lead who knows where
		status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusRequestTimeout:
		return failed(text)
	}
	return integration.Outcome{Verdict: integration.Refused, Cause: text}
}

// retryAfter reads seconds or a date; 0 if it is neither.
func retryAfter(text string, now time.Time) clock.Duration {
	d := time.Duration(0)
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return clock.Duration(min(max(d, 0), maxAfter).Milliseconds())
}
