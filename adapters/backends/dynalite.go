package backends

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// dynaliteEngine runs dynalite: DynamoDB's protocol, without transactions,
// time to live or streams. Its tables are on disk.
type dynaliteEngine struct {
	node, modules string
	dir           string
	account       account
	port          int
}

func newDynalite(dir string, a account) (*dynaliteEngine, error) {
	node, err := nodePath()
	if err != nil {
		return nil, err
	}
	modules, err := dynaliteModules()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	return &dynaliteEngine{node: node, modules: modules, dir: dir, account: a, port: port}, err
}

// patience has dynalite outlive a client that goes away in the middle of a request, which it throws for.
const patience = `process.on('uncaughtException', (e) => {
  if (e && (e.code === 'ECONNRESET' || e.code === 'EPIPE')) return;
  console.error(e);
  process.exit(1);
});
`

func (e *dynaliteEngine) preload() string { return filepath.Join(e.dir, "patience.js") }

func (e *dynaliteEngine) prepare(context.Context) error {
	if err := os.WriteFile(e.preload(), []byte(patience), 0o644); err != nil { //nolint:gosec // it is no secret
		return err
	}
	if e.account.credential == nil {
		return nil // the one who installed it can read it
	}
	mine := filepath.Join(e.dir, "node_modules")
	src := e.modules
	e.modules = mine
	if _, err := os.Stat(mine); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return e.account.adopt(mine, src)
}

func (e *dynaliteEngine) helpers() []command { return nil }

func (e *dynaliteEngine) server() command {
	return command{
		path: e.node, dir: e.dir, account: e.account,
		args: []string{"--require", e.preload(), filepath.Join(e.modules, "dynalite", "cli.js"),
			"--host", loopback, "--port", strconv.Itoa(e.port), "--path", filepath.Join(e.dir, "data"),
			"--createTableMs", "0", "--updateTableMs", "0", "--deleteTableMs", "0"},
		env:    []string{"PATH=" + systemPath, "HOME=" + e.dir, "LC_ALL=C.UTF-8"},
		quit:   syscall.SIGTERM,
		orphan: syscall.SIGKILL,
	}
}

func (e *dynaliteEngine) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if broken := errors.Join(err, resp.Body.Close()); broken != nil {
		return broken
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s, want 200", resp.Status)
	}
	return nil
}

func (e *dynaliteEngine) url() string { return "http://" + address(e.port) }
