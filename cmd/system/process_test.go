package system_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is one process of the program, which may be killed and started again.
type process struct {
	name string
	path string
	args []string
	log  string // file of what it says, over all of its lives
	// health is where it says whether it is ready.
	health string

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // closed when this life is over
	end   error         // of this life; read after ended
	asked bool          // to end
	lives int
}

func newProcess(folder, name, path string, args ...string) *process {
	return &process{name: name, path: path, args: args, log: filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".log")}
}

// start begins a life.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, attributes()
	ended, started := make(chan struct{}), make(chan error)
	go func() {
		// Where the system ends a process with the thread that started it, that thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			err := cmd.Wait()
			p.mu.Lock()
			p.end = err
			p.mu.Unlock()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.cmd, p.ended, p.end, p.asked = cmd, ended, nil, false
	p.lives++
	return nil
}

// kill ends a life as a power cut does, and waits until it is over.
func (p *process) kill() error { return p.signal(syscall.SIGKILL, 0) }

// stop asks a life to end, and returns how it did. It is killed if it takes longer than patience.
func (p *process) stop(patience time.Duration) error {
	return p.signal(syscall.SIGTERM, patience)
}

func (p *process) signal(s syscall.Signal, patience time.Duration) error {
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.asked = true
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	err := cmd.Process.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	if patience > 0 {
		select {
		case <-ended:
		case <-time.After(patience):
			err = errors.Join(fmt.Errorf("%s did not end within %v", p.name, patience), cmd.Process.Kill())
		}
	}
	<-ended
	p.mu.Lock()
	defer p.mu.Unlock()
	if s != syscall.SIGKILL {
		err = errors.Join(err, p.end)
	}
	return err
}

// died returns an error if a life is over that nobody asked to end.
func (p *process) died() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
		if !p.asked {
			return fmt.Errorf("%s ended by itself: %w", p.name, cmp.Or(p.end, errors.New("with success")))
		}
	default:
	}
	return nil
}

// ready waits until this life says that it serves.
func (p *process) ready(ctx context.Context) error {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	for {
		last := ""
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.health, nil)
		if err != nil {
			return err
		}
		if a, err := http.DefaultClient.Do(r); err == nil {
			body, err := io.ReadAll(a.Body)
			if err := errors.Join(err, a.Body.Close()); err == nil && a.StatusCode == http.StatusOK {
				return nil
			}
			last = string(body)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %s", p.name, last)
		case <-ended:
			return fmt.Errorf("%s ended before it was ready", p.name)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// last returns the end of its log, in lines.
func (p *process) last(lines int) string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
