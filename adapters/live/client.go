package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"footway/core/fault"
	"footway/core/runlog"
)

// State is what a client is doing.
type State string

// The states.
const (
	Connecting State = "connecting"
	Following  State = "following"
	Waiting    State = "waiting" // to try again
)

// Status is how a client does.
type Status struct {
	State State
	Err   error         // why it waits
	Wait  time.Duration // how long
	Lost  uint64        // events that this viewer was too slow for, in all
}

// Target says what a client follows.
type Target struct {
	// Server is the address of a server, such as https://ops.example.com.
	Server string
	// Token returns a bearer token; nil: there is none.
	Token  func(context.Context) (string, error)
	Codec  runlog.Codec // that of the server
	HTTP   *http.Client // nil: http.DefaultClient
	Ticket bool         // get in by a ticket, as browsers must and always do
	// Status is told each change; nil: nobody wants to know.
	Status func(Status)

	Silence        time.Duration // a server that says nothing for so long is gone; 0: 30 s
	First, Longest time.Duration // bounds of the wait before the next try; 0: 250 ms and 15 s
}

func (t Target) orDefaults() Target {
	t.Silence, t.First, t.Longest = cmp.Or(t.Silence, 30*time.Second), cmp.Or(t.First, 250*time.Millisecond), cmp.Or(t.Longest, 15*time.Second)
	if t.HTTP == nil {
		t.HTTP = http.DefaultClient
	}
	if t.Status == nil {
		t.Status = func(Status) {}
	}
	t.Server = strings.TrimSuffix(t.Server, "/")
	return t
}

// Follow gives take each piece of the server's journal. It comes back by itself whenever
// the connection is lost, and goes on where it was if the server still knows; otherwise the next piece
// has a header and says how things stand. It ends with ctx, with an error of take, or with fault.Forbidden or
// fault.Invalid when it makes no sense to try again.
func Follow(ctx context.Context, t Target, take func(runlog.Piece) error) error {
	c := &client{Target: t.orDefaults(), take: take}
	c.stream.Codec = t.Codec
	if u, err := url.Parse(c.Server); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fault.New("live.Follow", fault.Invalid, "bad_server", "server: want an address such as https://ops.example.com")
	}
	for tries := 0; ; tries++ {
		c.Status(Status{State: Connecting, Lost: c.lost})
		got, err := c.once(ctx)
		var ended *takeError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &ended):
			return ended.error
		case fault.Is(err, fault.Forbidden), fault.Is(err, fault.Invalid):
			return err
		case got:
			tries = 0
		}
		bound := min(c.First<<min(tries, 16), c.Longest)
		wait := bound/2 + rand.N(bound/2+1)
		c.Status(Status{State: Waiting, Err: err, Wait: wait, Lost: c.lost})
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// takeError is an error of who takes the pieces.
type takeError struct{ error }

type client struct {
	Target
	take   func(runlog.Piece) error
	stream runlog.Stream
	lost   uint64
}

// once follows one connection to its end, and reports whether a piece came.
func (c *client) once(ctx context.Context) (got bool, err error) {
	opening, cancel := context.WithTimeout(ctx, c.Silence)
	conn, err := c.open(opening)
	cancel()
	if err != nil {
		return false, err
	}
	defer conn.CloseNow() //nolint:errcheck // it is over, however it ends
	conn.SetReadLimit(2 * runlog.MaxFrame)
	for {
		kind, b, err := c.read(ctx, conn)
		if err != nil {
			return got, &fault.Error{Op: "live.Follow", Kind: fault.Unavailable, Reason: "cut", Err: err}
		}
		if kind == websocket.MessageText {
			if err := c.hear(b); err != nil {
				return got, err
			}
			continue
		}
		p, err := c.stream.Take(b)
		if err != nil {
			c.stream = runlog.Stream{Codec: c.Codec} // the next time from how things stand
			return got, &fault.Error{Op: "live.Follow", Kind: fault.Unavailable, Reason: "bad_piece", Err: err}
		}
		if !got {
			got = true
			c.Status(Status{State: Following, Lost: c.lost})
		}
		if err := c.take(p); err != nil {
			return got, &takeError{err}
		}
	}
}

func (c *client) read(ctx context.Context, conn *websocket.Conn) (websocket.MessageType, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Silence)
	defer cancel()
	return conn.Read(ctx)
}

// hear takes a text message.
func (c *client) hear(b []byte) error {
	var n note
	if err := json.Unmarshal(b, &n); err != nil {
		return fault.New("live.Follow", fault.Unavailable, "bad_note", "a text message of %d bytes that is no JSON", len(b))
	}
	if n.Lost > 0 {
		c.lost += n.Lost
		c.Status(Status{State: Following, Lost: c.lost})
	}
	return nil
}

// open opens a WebSocket, behind the last event that came.
func (c *client) open(ctx context.Context) (*websocket.Conn, error) {
	var token string
	if c.Token != nil {
		var err error
		if token, err = c.Token(ctx); err != nil {
			return nil, fmt.Errorf("live: token: %w", err)
		}
	}
	address := c.Server + path
	if seq, chain := c.stream.At(); seq > 0 {
		address += "?after=" + strconv.FormatUint(seq, 10) + "&chain=" + chain.String()
	}
	if !c.Ticket && canSetHeaders {
		return dial(ctx, c.HTTP, address, token)
	}
	ticket, err := c.ticket(ctx, token)
	if err != nil {
		return nil, err
	}
	return dialWithTicket(ctx, address, ticket)
}

// dialWithTicket opens a WebSocket as a browser can.
func dialWithTicket(ctx context.Context, address, ticket string) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{Subprotocols: []string{protocol, ticketPrefix + ticket}}) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, unavailable(err)
	}
	return conn, nil
}

// ticket asks for a ticket.
func (c *client) ticket(ctx context.Context, token string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Server+ticketPath, nil)
	if err != nil {
		return "", fault.New("live.Follow", fault.Invalid, "bad_server", "the server's address cannot be asked for a ticket")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return "", unavailable(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	if resp.StatusCode != http.StatusOK {
		return "", refused(resp.StatusCode)
	}
	var a ticketAnswer
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<10)).Decode(&a); err != nil || a.Ticket == "" {
		return "", fault.New("live.Follow", fault.Unavailable, "bad_ticket", "the server's answer has no ticket")
	}
	return a.Ticket, nil
}

// refused returns the error for the status of an answer.
func refused(status int) error {
	kind := fault.Unavailable
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = fault.Forbidden
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed:
		kind = fault.Invalid
	}
	return fault.New("live.Follow", kind, "refused", "the server answers %d %s", status, http.StatusText(status))
}

func unavailable(err error) error {
	return &fault.Error{Op: "live.Follow", Kind: fault.Unavailable, Reason: "unreachable", Err: err}
}
