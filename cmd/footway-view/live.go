package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"footway/adapters/live"
	"footway/adapters/zstd"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/desk"
	"footway/visualizer/play"
	"footway/visualizer/window"
)

// buffer is how much of a running system is kept to look back at.
const buffer = 256 << 20

// watcher hears a running system and keeps what it says until the desk takes it.
type watcher struct {
	mu     sync.Mutex
	pieces []runlog.Piece
	status live.Status
	ended  error

	log     *play.Live // the desk's; only its goroutine touches it
	began   bool       // a piece with a header came
	restart bool       // and another one: the source is a new one
}

// watch follows a server until ctx ends.
func watch(ctx context.Context, server string, token func(context.Context) (string, error)) *watcher {
	w := &watcher{log: play.NewLive(buffer)}
	go func() {
		err := live.Follow(ctx, live.Target{Server: server, Token: token, Codec: &zstd.Codec{}, Status: w.told}, w.take)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = err
	}()
	return w
}

func (w *watcher) told(s live.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = s
}

func (w *watcher) take(p runlog.Piece) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.Raw = nil
	w.pieces = append(w.pieces, p)
	return nil
}

// absorb hands what came to the log. It reports whether the log begins anew with what is left to be absorbed.
func (w *watcher) absorb() (anew bool, err error) {
	w.mu.Lock()
	pieces, ended := w.pieces, w.ended
	w.pieces = nil
	w.mu.Unlock()
	for i, p := range pieces {
		if p.Header != nil && w.began && !w.restart {
			w.mu.Lock()
			w.pieces = append(pieces[i:], w.pieces...)
			w.mu.Unlock()
			w.restart = true
			return true, nil
		}
		w.began, w.restart = w.began || p.Header != nil, false
		if err := w.log.Add(p); err != nil {
			return false, err
		}
	}
	if ended != nil && !errors.Is(ended, context.Canceled) {
		return false, ended
	}
	return false, nil
}

// words says how the connection is.
func (w *watcher) words() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	switch {
	case w.ended != nil:
		return "ended: " + w.ended.Error()
	case s.State == live.Waiting:
		return fmt.Sprintf("lost the connection, tries again within %v", s.Wait.Round(time.Second))
	case s.State == live.Connecting:
		return "connecting"
	case s.Lost > 0:
		return fmt.Sprintf("connected; was too slow for %d events", s.Lost)
	}
	return "connected"
}

// onceOnly says what to do about the settings of a running system.
const onceOnly = "what is live happens once. Record its traffic (integrations.record), run that with footway replay --out DIR, and open DIR: there every setting can be tried"

// liveOpening waits for a running system to say how it stands.
func liveOpening(server string, w *watcher, network func() (*maps.Network, error), l look) *stages {
	var net *maps.Network
	return &stages{steps: []stage{
		{"asking " + server + " for its map", func(time.Duration) (d *desk.Desk, more bool, part float64, err error) {
			if net == nil {
				net, err = network()
			}
			return nil, net == nil, 0, err
		}},
		{"waiting for " + server + " to say how it stands", func(time.Duration) (d *desk.Desk, more bool, part float64, err error) {
			if _, err := w.absorb(); err != nil {
				return nil, false, 0, err
			}
			if len(w.log.Blocks()) == 0 {
				return nil, true, 0, nil
			}
			run, err := play.Open(w.log, net)
			if err != nil {
				return nil, false, 0, err
			}
			d, err = l.put(desk.Options{Run: run, Name: server, Live: w.words, Fixed: onceOnly})
			return d, false, 1, err
		}},
	}}
}

// fetchTimeout bounds how long a file may take to come.
const fetchTimeout = 2 * time.Minute

var errNotThere = errors.New("the server has no such file")

// fetch gets a file of at most limit bytes. Where there is none, the error is errNotThere.
func fetch(ctx context.Context, address string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: this is no address", address)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, &fault.Error{Op: "fetch " + address, Kind: fault.Unavailable, Err: err}
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	if resp.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", address, errNotThere)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the server answers %s", address, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("it has more than %d MB", limit>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return b, nil
}

// later runs do in the background and returns a function that reports its result once there is one.
func later[T any](do func() (*T, error)) func() (*T, error) {
	type result struct {
		value *T
		err   error
	}
	came := make(chan result, 1)
	go func() {
		v, err := do()
		came <- result{v, err}
	}()
	return func() (*T, error) {
		select {
		case r := <-came:
			return r.value, r.err
		default:
			return nil, nil //nolint:nilnil // not yet
		}
	}
}

// Most that is taken of files from servers.
const (
	maxMap = 512 << 20
	maxLog = 1 << 30
)

// onDesk has a window show the system, whose map get fetches. Where another system begins, such as one that was started anew, its
// map is fetched anew too, and it is looked at as the one before was, now.
func (w *watcher) onDesk(o *window.Options, server string, get func() (*maps.Network, error), l look) {
	open := func() window.Opening { return liveOpening(server, w, later(get), l) }
	o.Title, o.Opening = server, open()
	o.Before = w.before(func(d *desk.Desk) window.Opening {
		l.Link = d.Link()
		l.At, l.After, l.clock = 0, -1, ""
		return open()
	})
}

// before returns what is done before each tick: the log takes what came; where another source begins,
// the desk is opened anew.
func (w *watcher) before(open func(*desk.Desk) window.Opening) func(*desk.Desk) (window.Opening, error) {
	return func(d *desk.Desk) (window.Opening, error) {
		anew, err := w.absorb()
		if !anew || err != nil {
			return nil, nil //nolint:nilnil,nilerr // words says what is wrong; what came so far can still be looked at
		}
		w.log = play.NewLive(buffer)
		return open(d), nil
	}
}
