package backends

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// command is what it takes to run one process of a server.
type command struct {
	path    string
	args    []string
	env     []string // the whole environment: nothing is inherited
	dir     string
	account account
	quit    syscall.Signal // asks the process to end
	orphan  syscall.Signal // sent by the system if this program ends first
}

// process is a child in a process group of its own, so that a Ctrl-C at the
// terminal reaches it only through the one who started it.
type process struct {
	pid  int
	quit syscall.Signal
	done chan struct{} // closed once the process has ended and was reaped
	err  error         // how it ended; read after done
}

// spawn starts c with its output appended to the file log.
func spawn(c command, log string) (*process, error) {
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := c.cmd()
	cmd.Stdout, cmd.Stderr = out, out

	p := &process{quit: c.quit, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the orphan's signal when the thread that started the
		// process ends, so this one stays until the process has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s as %s: %w", c.path, c.account.name, err)
	}
	return p, nil
}

func (c command) cmd() *exec.Cmd {
	cmd := exec.Command(c.path, c.args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.SysProcAttr = attributes(c)
	return cmd
}

// output runs c to its end and returns what it said; the error includes it.
func (c command) output(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.SysProcAttr = attributes(c)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	// Without a thread to itself the process could lose its parent's thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %q: %w: %s", c.path, c.args, errors.Join(err, ctx.Err()), tail(out))
	}
	return string(out), nil
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process group at once and waits until the process is reaped.
func (p *process) kill() {
	if p == nil || p.ended() {
		return
	}
	// The group outlives nothing that matters: an error means it is gone already.
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	<-p.done
}

// stop asks the process to end, and kills it when it has not by ctx's deadline.
func (p *process) stop(ctx context.Context) {
	if p == nil || p.ended() {
		return
	}
	_ = syscall.Kill(p.pid, p.quit) // already gone: the wait below returns at once
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	p.kill()
}
