package merchant

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"footway/core/account"
)

// event is one of a stream of server-sent events.
type event struct {
	name string
	data []byte
}

// readEvents reads a stream until it ends, and hands each event over. A comment is an event without a name.
func readEvents(from io.Reader, each func(event) bool) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 16<<10), 1<<20)
	var e event
	for lines.Scan() {
		line := lines.Bytes()
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0:
			if len(e.data) > 0 || e.name != "" {
				if !each(e) {
					return nil
				}
			}
			e = event{}
		case len(field) == 0:
			if !each(event{}) {
				return nil
			}
		case string(field) == "event":
			e.name = string(value)
		case string(field) == "data":
			e.data = append(e.data, value...)
		}
	}
	return lines.Err()
}

const (
	againEvery = 5 * time.Second  // how often what time changes is looked at
	beatEvery  = 15 * time.Second // how long a stream may be silent
	eventTime  = 10 * time.Second // how long a reader may take for one event
)

// liveBoard keeps one open board up to date: it reads the API's stream, and tells the page which cards look
// otherwise now. Time alone changes some, too.
type liveBoard struct {
	*visit
	rc    *http.ResponseController
	only  bool // only robots that are here
	names map[string]string
	shown map[string]shownCard // what the page has
	last  time.Time            // when something was told
}

type shownCard struct {
	told told
	html string
}

// news is what a page is told of a card.
type news struct {
	ID     string `json:"id"`
	Column string `json:"column"`
	Sort   int64  `json:"sort"`
	Card   string `json:"card,omitempty"`
	Alert  string `json:"alert,omitempty"` // the robot that is here; none: it is not
}

// boardEvents tells a page what changes on the board.
func (v *visit) boardEvents() error {
	leave, err := v.streams.enter(v.who.Account.ID)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithCancel(v.r.Context())
	defer cancel()
	v.ctx = ctx
	l := &liveBoard{visit: v, rc: http.NewResponseController(v.w), only: v.r.URL.Query().Get("only") == "here", shown: map[string]shownCard{}}
	shops, err := v.shops()
	if err != nil {
		return err
	}
	l.names = v.byName(shops)
	states := underWay
	if l.only {
		states = here
	}
	answer, err := v.api.send(ctx, v.pass, http.MethodGet, "/v1/board/events", v.boardQuery(states, "200"), nil)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it is not read to its end
	if answer.StatusCode != http.StatusOK {
		return refusalIn(answer)
	}
	v.w.Header().Set("Content-Type", "text/event-stream")
	v.w.Header().Set("X-Accel-Buffering", "no")
	v.w.WriteHeader(http.StatusOK)
	if l.write("retry: 2000\n\n") != nil {
		return nil // it went away
	}
	events := make(chan event)
	go func() {
		defer close(events)
		_ = readEvents(answer.Body, func(e event) bool { // it ends with the stream; the page comes again
			select {
			case events <- e:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	if err := l.follow(events); err != nil && !errors.Is(err, errGone) && v.r.Context().Err() == nil {
		v.o.Log.InfoContext(v.r.Context(), "a board's stream broke", "error", err)
	}
	return nil
}

// errGone says that the reader went away.
var errGone = errors.New("the reader went away")

func (l *liveBoard) write(text string) error {
	if err := l.rc.SetWriteDeadline(time.Now().Add(eventTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errGone
	}
	if _, err := io.WriteString(l.w, text); err != nil {
		return errGone
	}
	l.last = time.Now()
	if l.rc.Flush() != nil {
		return errGone
	}
	return nil
}

// follow takes up what the API says until it says no more.
func (l *liveBoard) follow(events <-chan event) error {
	again := time.NewTicker(againEvery)
	defer again.Stop()
	for {
		var err error
		select {
		case e, open := <-events:
			if !open {
				return nil
			}
			err = l.take(e)
		case <-again.C:
			err = l.again()
		case <-l.draining:
			return nil
		case <-l.ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (l *liveBoard) take(e event) error {
	switch e.name {
	case "reset":
		clear(l.shown)
		return l.write("event: reset\ndata: {}\n\n")
	case "delivery":
		var d told
		if err := json.Unmarshal(e.data, &d); err != nil {
			return fmt.Errorf("an event of the API is not what it should be: %w", err)
		}
		return l.tell(d)
	case "left":
		var left struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(e.data, &left); err != nil {
			return fmt.Errorf("an event of the API is not what it should be: %w", err)
		}
		return l.left(left.ID)
	}
	return l.beat()
}

func (l *liveBoard) beat() error {
	if time.Since(l.last) < beatEvery {
		return nil
	}
	return l.write(":\n\n")
}

// tell tells the page of a card if it looks otherwise than the page has it.
func (l *liveBoard) tell(d told) error {
	ctx, cancel := context.WithTimeout(l.ctx, callTime)
	defer cancel()
	asking := *l.visit
	asking.ctx = ctx
	c := l.card(d, asking.trackOf(&d), l.names)
	n := news{ID: d.ID, Column: c.Column, Sort: c.Sort}
	var b bytes.Buffer
	if c.Alert != nil {
		a := *c.Alert
		a.Left = "" // it counts by itself
		if err := l.html.ExecuteTemplate(&b, "alert", &a); err != nil {
			return err
		}
		n.Alert = b.String()
	}
	if !l.only {
		b.Reset()
		if err := l.html.ExecuteTemplate(&b, "card", c); err != nil {
			return err
		}
		n.Card = b.String()
	}
	html := n.Alert + n.Card
	if l.shown[d.ID].html == html {
		l.shown[d.ID] = shownCard{d, html}
		return l.beat()
	}
	if columnOf(d.State) == "finished" {
		delete(l.shown, d.ID)
	} else {
		l.shown[d.ID] = shownCard{d, html}
	}
	return l.send("card", n)
}

func (l *liveBoard) send(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return l.write("event: " + name + "\ndata: " + string(data) + "\n\n")
}

// left tells the page that a card is not on the board any more, or where it is now.
func (l *liveBoard) left(id string) error {
	delete(l.shown, id)
	ctx, cancel := context.WithTimeout(l.ctx, callTime)
	defer cancel()
	asking := *l.visit
	asking.ctx = ctx
	f, err := asking.delivery(id)
	if err == nil && !l.only {
		return l.tell(f.Delivery)
	}
	return l.send("left", news{ID: id})
}

// again looks at what time alone changes, and whether the visitor is still somebody.
func (l *liveBoard) again() error {
	if _, err := l.o.Accounts.Who(l.ctx, l.cookies.Get(l.r, sessionCookie)); reasonOf(err) == account.SignedOut {
		return l.write("event: out\ndata: {}\n\n")
	}
	for _, s := range l.shown {
		if err := l.tell(s.told); err != nil {
			return err
		}
	}
	return l.beat()
}
