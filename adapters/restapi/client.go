package restapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/trace"
)

// ClientOptions are what clients of both APIs have in common.
type ClientOptions struct {
	Token   Secret        // nil: none; a client certificate is in TLS
	TLS     *tls.Config   // nil: what the system trusts
	Timeout time.Duration // of each call beneath the caller's deadline; 0: 10 s
	// Transport wraps what makes calls, such as to trace them; nil: nothing does.
	Transport func(http.RoundTripper) http.RoundTripper
}

// client calls one API.
type client struct {
	base    url.URL // scheme and host
	token   Secret
	timeout time.Duration
	http    *http.Client
}

// newClient returns a client of the API at an address such as http://deliveries:8080.
func newClient(address string, o ClientOptions) (*client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		return nil, fault.New("restapi.NewClient", fault.Invalid, "bad_address", "address %.80q: want scheme and host, such as http://deliveries:8080", address)
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	dial := net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}
	c := &client{
		base: url.URL{Scheme: u.Scheme, Host: u.Host}, token: o.Token, timeout: o.Timeout,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy: nil, DialContext: dial.DialContext, TLSClientConfig: o.TLS, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
				MaxIdleConns: 256, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if o.Transport != nil {
		c.http.Transport = o.Transport(c.http.Transport)
	}
	return c, nil
}

// Close lets go of idle connections.
func (c *client) Close() { c.http.CloseIdleConnections() }

// call is one request.
type call struct {
	op      string // for errors
	method  string
	path    string
	query   url.Values
	partner delivery.PartnerID
	key     string // under which it creates something
	match   uint64 // the sequence that it is about
	in      any    // nil: no body
	out     any    // nil: no answer
	wait    time.Duration
	host    string // another than the client's
}

// do makes a call. Its errors are those that the service returned at the other
// end, or fault.Unavailable where nobody knows what became of it.
func (c *client) do(ctx context.Context, q call) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout+q.wait)
	defer cancel()
	r, err := c.request(ctx, q)
	if err != nil {
		return err
	}
	a, err := c.http.Do(r)
	if err != nil {
		return lost(q.op, err)
	}
	defer a.Body.Close() //nolint:errcheck // all of it that counts was read
	body, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer+1))
	if err != nil {
		return lost(q.op, err)
	}
	switch {
	case len(body) > maxAnswer:
		return fault.New(q.op, fault.Internal, reasonUnexpected, "the answer is larger than %d bytes", maxAnswer)
	case a.StatusCode < 200 || a.StatusCode > 299:
		return faultOf(q.op, a.StatusCode, a.Header, body)
	case q.out == nil:
		return nil
	case mediaType(a.Header.Get("Content-Type")) != jsonType:
		return fault.New(q.op, fault.Internal, reasonUnexpected, "the answer is not %s", jsonType)
	}
	if err := json.Unmarshal(body, q.out); err != nil {
		return fault.New(q.op, fault.Internal, reasonUnexpected, "the answer is not what the contract says: %w", describe(err))
	}
	return nil
}

// request returns the HTTP request of a call.
func (c *client) request(ctx context.Context, q call) (*http.Request, error) {
	u := c.base
	u.Path, u.RawQuery = q.path, q.query.Encode()
	if q.host != "" {
		u.Host = q.host
	}
	var body io.Reader
	if q.in != nil {
		b, err := encode(q.in)
		if err != nil {
			return nil, &fault.Error{Op: q.op, Kind: fault.Invalid, Reason: reasonBadBody, Err: fmt.Errorf("the request has no form on the wire: %w", err)}
		}
		if len(b) > MaxBody {
			return nil, fault.New(q.op, fault.Invalid, reasonTooLarge, "the request has %d bytes; want at most %d", len(b), MaxBody)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, u.String(), body)
	if err != nil {
		return nil, fault.New(q.op, fault.Internal, "", "the request cannot be made")
	}
	return r, c.headers(ctx, q, r.Header)
}

func (c *client) headers(ctx context.Context, q call, h http.Header) error {
	h.Set("Accept", jsonType)
	if q.in != nil {
		h.Set("Content-Type", jsonType)
	}
	if q.partner != "" {
		h.Set(headerPartner, segment(string(q.partner)))
	}
	if q.key != "" && plain(q.key) {
		h.Set(headerKey, `"`+q.key+`"`)
	}
	if q.match != 0 {
		h.Set("If-Match", `"`+strconv.FormatUint(q.match, 10)+`-"`)
	}
	if id := RequestID(ctx); id != "" {
		h.Set(headerRequestID, id)
	}
	if p := trace.From(ctx); p != "" {
		h.Set(headerTrace, p)
	}
	if c.token == nil {
		return nil
	}
	t, err := c.token(ctx)
	if err != nil {
		return &fault.Error{Op: q.op, Kind: fault.Unavailable, Reason: "no_secrets", Err: fmt.Errorf("the token cannot be read: %w", err)}
	}
	h.Set("Authorization", "Bearer "+t)
	return nil
}

// lost returns the error of a call that got no answer: it may have had its effect.
func lost(op string, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the address, which says more than logs need
	}
	reason := reasonCut
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		reason = reasonDeadline
	}
	return &fault.Error{Op: op, Kind: fault.Unavailable, Reason: reason, Err: err}
}
