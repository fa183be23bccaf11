package restapi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

const (
	eventStream = "text/event-stream"
	// beatEvery is how long a stream may be silent, so that nobody between takes it for dead.
	beatEvery = 15 * time.Second
	// patience is how long a reader may take for one event.
	patience = 10 * time.Second
)

// events is an answer that tells news as server-sent events.
type events struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	last time.Time // when something was told
}

// openEvents begins a stream, which has a deadline for each event instead of one for all.
func openEvents(w http.ResponseWriter) (*events, error) {
	e := &events{w: w, rc: http.NewResponseController(w)}
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return e, e.raw("retry: 2000\n\n")
}

// lift puts off the deadline for writing of ordinary requests.
func lift(rc *http.ResponseController, write time.Duration) error {
	if err := rc.SetWriteDeadline(time.Now().Add(write)); err != nil {
		return fmt.Errorf("set the write deadline: %w", err)
	}
	return nil
}

// send tells one event. Its data is JSON, and so one line. One without an id leaves where
// the reader left off as it is.
func (e *events) send(event, id string, data any) error {
	body, err := encode(data)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.Grow(len(body) + 64)
	b.WriteString("event: ")
	b.WriteString(event)
	if id != "" {
		b.WriteString("\nid: ")
		b.WriteString(id)
	}
	b.WriteString("\ndata: ")
	b.Write(body)
	b.WriteString("\n\n")
	return e.raw(b.String())
}

func (e *events) raw(text string) error {
	if err := lift(e.rc, patience); err != nil {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	if err := e.rc.Flush(); err != nil {
		return fmt.Errorf("flush an event: %w", err)
	}
	e.last = time.Now()
	return nil
}

// beat tells that the stream is alive, if nothing else did for a while.
func (e *events) beat() error {
	if time.Since(e.last) < beatEvery {
		return nil
	}
	return e.raw(": alive\n\n")
}

// wait waits until there may be news. It returns false when there is no use in
// waiting: the caller is gone, the server stops, or the wait was long enough.
func (a *API) wait(ctx context.Context, l *listener, enough <-chan time.Time) bool {
	look := time.NewTimer(a.o.Look/2 + rand.N(a.o.Look)) // those who came together do not look together
	defer look.Stop()
	select {
	case <-l.c:
		return true
	case <-look.C:
		return true
	case <-enough:
	case <-ctx.Done():
	case <-a.draining:
	}
	return false
}
