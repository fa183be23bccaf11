package backends

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// How long each step may take, beneath the caller's deadline.
const (
	startWithin = 90 * time.Second // RabbitMQ takes 6 to 13 s on two free cores
	retryWithin = 15 * time.Second // a server that ends instead of answering
	stopWithin  = 15 * time.Second // then it is killed
	endWithin   = 10 * time.Second // for processes that were killed to be gone
	poll        = 50 * time.Millisecond
)

// Options of a server. The zero value is a new, empty server in a folder that
// goes with it.
type Options struct {
	// Dir is the folder of the server's data, passwords and log, made if need
	// be. Stop leaves it, and a server started there again has the same data.
	// Empty: a new one in [os.TempDir], removed by Stop.
	Dir string
}

// engine is what differs between the kinds.
type engine interface {
	// prepare fills the folder of a new server, and does nothing to an old one.
	prepare(ctx context.Context) error
	// helpers are processes that must run before the server, and go on while it is down.
	helpers() []command
	// server is the process that answers at url.
	server() command
	// ready fails as long as the server does not answer.
	ready(ctx context.Context) error
	url() string
}

// Server is a private server. Its methods may be called concurrently, but not
// Start with the same folder twice.
type Server struct {
	kind   Kind
	dir    string
	temp   bool // Stop removes dir
	log    string
	engine engine

	mu      sync.Mutex // held while the server starts, ends or is restarted
	helpers []*process
	main    *process
}

// Start starts a server and returns when it answers. Where the machine does
// not have the program the error is a [*MissingError]; else it ends with the
// server's log. The server runs until Stop, not until ctx is done.
func Start(ctx context.Context, k Kind, o Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	s, err := start(ctx, k, o)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", k.Name(), err)
	}
	return s, nil
}

func start(ctx context.Context, k Kind, o Options) (*Server, error) {
	a, err := accountOf(k)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if o.Dir == "" {
		dir, err = os.MkdirTemp("", "footway-")
	}
	if err != nil {
		return nil, err
	}
	s := &Server{kind: k, dir: dir, temp: o.Dir == "", log: filepath.Join(dir, "server.log")}
	s.engine, err = newEngine(k, dir, a)
	if err == nil {
		err = a.folder(dir)
	}
	if err == nil {
		err = s.engine.prepare(ctx)
	}
	if err == nil {
		err = s.up(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop(ctx))
	}
	return s, nil
}

func newEngine(k Kind, dir string, a account) (engine, error) {
	switch k {
	case Postgres:
		return newPostgres(dir, a)
	case RabbitMQ:
		return newRabbit(dir, a)
	case DynamoDB:
		return newDynalite(dir, a)
	}
	return nil, fmt.Errorf("no such kind of backend: want one of %q", Kinds())
}

// URL returns the server's address in the form that [Kind] says.
func (s *Server) URL() string { return s.engine.url() }

// Log returns the path of the file that holds all the server has said.
func (s *Server) Log() string { return s.log }

// Kill ends the server as kill -9 does: nothing is flushed, nobody is told.
// What it had acknowledged is there after Restart, with one exception: RabbitMQ
// 3.10 forgets a quorum queue that was declared within the last moments, with
// its messages, and then does not answer requests to it. Restart once, in good
// order, between declaring queues and killing. Nor does it shut down while it
// blocks a publisher: end the alarm first, or Stop takes its full time.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.main.kill()
}

// Restart brings the server back, with the same address and data, and returns
// when it answers. One that is running is shut down in good order first.
func (s *Server) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutDown(ctx)
	if err := s.up(ctx); err != nil {
		return fmt.Errorf("restart %s: %w", s.kind.Name(), err)
	}
	return nil
}

// Stop shuts the server down in good order, or kills it when that takes too
// long, and returns when no process of it is left. It may be called twice.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutDown(ctx)
	for _, h := range s.helpers {
		h.kill()
	}
	s.helpers = nil
	err := endStragglers(s.dir)
	if s.temp {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	if err != nil {
		return fmt.Errorf("stop %s: %w", s.kind.Name(), err)
	}
	return nil
}

func (s *Server) shutDown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	s.main.stop(ctx)
}

// up starts the processes and waits for an answer. A server that ends instead
// is started again for some seconds: after kill -9 the processes of its former
// life may still hold its data.
func (s *Server) up(ctx context.Context) error {
	if err := s.helpUp(); err != nil {
		return err
	}
	retry, cancel := context.WithTimeout(ctx, retryWithin)
	defer cancel()
	for {
		var err error
		if s.main, err = spawn(s.engine.server(), s.log); err != nil {
			return err
		}
		if err = s.answers(ctx); err == nil {
			return nil
		}
		again := s.main.ended() && pause(retry, 10*poll)
		s.main.kill()
		if !again {
			return fmt.Errorf("%w; its log ends:\n%s", err, tailOf(s.log))
		}
	}
}

func (s *Server) helpUp() error {
	if len(s.helpers) > 0 {
		return nil
	}
	for _, c := range s.engine.helpers() {
		p, err := spawn(c, s.log)
		if err != nil {
			return err
		}
		s.helpers = append(s.helpers, p)
	}
	return nil
}

// answers waits until the server answers, has ended, or ctx is done.
func (s *Server) answers(ctx context.Context) error {
	for {
		err := s.engine.ready(ctx)
		if err == nil {
			return nil
		}
		if s.main.ended() {
			return fmt.Errorf("the server ended: %w", s.main.err)
		}
		if !pause(ctx, poll) {
			return fmt.Errorf("no answer at %s: %w (%w)", s.engine.url(), err, ctx.Err())
		}
	}
}

// pause waits, and reports whether ctx is still good.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// endStragglers kills the processes that a server left in dir and waits until they are gone.
func endStragglers(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	for {
		pids, err := stragglers(dir)
		if errors.Is(err, os.ErrNotExist) {
			return nil // stopped before: the folder is gone
		}
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end process %d: %w", pid, err)
			}
		}
		if !pause(ctx, poll) {
			return fmt.Errorf("processes %v in %s do not end", pids, dir)
		}
	}
}
