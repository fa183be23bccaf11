package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/term"
)

// grace is how long the command may take to end after it was told to.
const grace = 10 * time.Second

// execute runs the command and returns its exit code. When ctx is done the
// command is asked to end, and killed after a while.
func execute(ctx context.Context, command []string, p program, environ []string) int {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin, p.stdout, p.stderr
	cmd.WaitDelay = grace
	// At a terminal the command stays in the terminal's process group, which is
	// asked by Ctrl-C as a whole, and may read. Elsewhere it leads a group of its
	// own, so that the signal also reaches what it started: `go test` does not
	// pass it on to the tests.
	alone := p.stdin == nil || !term.IsTerminal(int(p.stdin.Fd()))
	target := 1
	if alone {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		target = -1
	}
	cmd.Cancel = func() error { return syscall.Kill(target*cmd.Process.Pid, syscall.SIGTERM) }

	err := cmd.Run()
	if cmd.ProcessState == nil {
		fmt.Fprintf(p.stderr, "backends: run %s: %v\n", command[0], err)
		return exitFailed
	}
	if alone && ctx.Err() != nil {
		// What the command left of its group; usually there is nothing.
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			fmt.Fprintf(p.stderr, "backends: end what %s left: %v\n", command[0], err)
		}
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()) // as a shell says it
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return code
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "backends: run %s: %v\n", command[0], err)
		return exitFailed
	}
	return 0
}
