// Command backends starts the servers that the tests need, runs a command with
// their addresses in its environment, and stops them:
//
//	backends -- go test ./...
//
// Without a command it keeps them running for a person until Ctrl-C. Servers
// that the environment names already are used, and left alone. What the
// machine lacks comes from Docker, if an engine answers. The exit code is the
// command's, which `go run` would turn into 1: build it first.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()})
	stop()
	os.Exit(code)
}
