package system_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"footway/adapters/recording"
)

// key is what a partner signs its requests with, as footway partners prints it.
type key struct {
	Developer string `json:"developer_id"`
	ID        string `json:"key_id"`
	Secret    string `json:"signing_secret"`
}

// token signs a DD-JWT-V1 token.
func (k key) token() (string, error) {
	secret, err := base64.RawURLEncoding.DecodeString(k.Secret)
	if err != nil {
		return "", err
	}
	now := time.Now().Unix()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"aud": "doordash", "iss": k.Developer, "kid": k.ID, "iat": now, "exp": now + 300})
	t.Header["dd-ver"] = "DD-JWT-V1"
	return t.SignedString(secret)
}

// partner sends requests to the door, and repeats those whose answer says nothing.
type partner struct {
	key  key
	door string // http://HOST:PORT
	http *http.Client
	// probe is an order that is possible.
	probe []byte

	mu      sync.Mutex
	answers []answer
}

// answer is how a request ended.
type answer struct {
	recording.Request
	Status int
	Body   []byte
	Tries  int    // how often it was sent
	Lost   int    // tries that were not answered, or with 5xx: nobody knows what they did
	Error  string // of the last try, if none was answered
}

func newPartner(t testing.TB, k key, door string) *partner {
	probe := recorded(t, 0, 1, time.Minute)[0].Body
	p := &partner{key: k, door: door, probe: probe, http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(p.http.CloseIdleConnections)
	return p
}

// patience is how long a partner repeats a request.
const patience = 90 * time.Second

// asks is how often a partner asks for what is said to be impossible.
const asks = 12

// send sends a request until it is answered, as a careful partner does.
func (p *partner) send(ctx context.Context, r recording.Request) answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a := answer{Request: r}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		a.Tries++
		status, body, err := p.once(ctx, r)
		switch {
		case err != nil:
			a.Lost++
			a.Error = err.Error()
		case status == http.StatusTooManyRequests:
		case status == http.StatusUnprocessableEntity && a.Tries < asks: // no robot is known just now: Dispatch or Fleet was killed
			a.Status, a.Body = status, body
		case status >= 500:
			a.Lost++
			a.Status, a.Body = status, body
		default:
			a.Status, a.Body = status, body
			return a
		}
		select {
		case <-ctx.Done():
			return a
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
	}
}

// once sends a request once.
func (p *partner) once(ctx context.Context, r recording.Request) (int, []byte, error) {
	token, err := p.key.token()
	if err != nil {
		return 0, nil, err
	}
	q, err := http.NewRequestWithContext(ctx, r.Method, p.door+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return 0, nil, err
	}
	for name, value := range r.Headers {
		q.Header.Set(name, value)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	a, err := p.http.Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	return a.StatusCode, body, err
}

// get asks for something, and reads the answer into v.
func (p *partner) get(ctx context.Context, path string, v any) error {
	a := p.send(ctx, recording.Request{Method: http.MethodGet, Path: path})
	if a.Status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s %s", path, a.Status, a.Body, a.Error)
	}
	return json.Unmarshal(a.Body, v)
}

// served waits until a robot would go, as Dispatch knows after its next round.
func (p *partner) served(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r := recording.Request{Method: http.MethodPost, Path: "/drive/v2/serviceability", Headers: map[string]string{"Content-Type": "application/json"}, Body: p.probe}
	for {
		a := p.send(ctx, r)
		if bytes.Contains(a.Body, []byte(`"is_serviceable":true`)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("a delivery is not possible: %d %s %s: %s", a.Status, a.Body, a.Error, p.probe)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// play sends a recording at a multiple of its speed. What is about one delivery is sent one after the other.
func (p *partner) play(ctx context.Context, all []recording.Request, times int) {
	queues := map[string]chan recording.Request{}
	var senders sync.WaitGroup
	start := time.Now()
	for _, r := range all {
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(start.Add((r.At.Sub(all[0].At)).Std() / time.Duration(times)))):
		}
		id := about(r)
		q := queues[id]
		if q == nil {
			q = make(chan recording.Request, len(all))
			queues[id] = q
			senders.Go(func() {
				for r := range q {
					a := p.send(ctx, r)
					p.mu.Lock()
					p.answers = append(p.answers, a)
					p.mu.Unlock()
				}
			})
		}
		q <- r
	}
	for _, q := range queues {
		close(q)
	}
	senders.Wait()
}

// about returns the id of the delivery that a request is about.
func about(r recording.Request) string {
	var body struct {
		ID string `json:"external_delivery_id"`
	}
	if json.Unmarshal(r.Body, &body) == nil && body.ID != "" {
		return body.ID
	}
	return strings.Split(r.Path, "/")[4]
}

// does names what a request does: accept, cancel, quote, deliver, edit or look.
func does(r recording.Request) string {
	switch {
	case strings.HasSuffix(r.Path, "/accept"):
		return "accept"
	case strings.HasSuffix(r.Path, "/cancel"):
		return "cancel"
	case r.Method == http.MethodGet:
		return "look"
	case r.Method == http.MethodPatch:
		return "edit"
	case strings.HasSuffix(r.Path, "/deliveries"):
		return "deliver"
	}
	return "quote"
}
