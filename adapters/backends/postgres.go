package backends

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresEngine runs a cluster that is durable as in production: fsync and
// synchronous commit are on.
type postgresEngine struct {
	bin, dir string
	account  account
	port     int
	password string
}

func newPostgres(dir string, a account) (*postgresEngine, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	return &postgresEngine{bin: bin, dir: dir, account: a, port: port}, err
}

func (e *postgresEngine) prepare(ctx context.Context) (err error) {
	if e.password, err = e.account.password(e.dir); err != nil {
		return err
	}
	data := filepath.Join(e.dir, "data")
	if _, err = os.Stat(filepath.Join(data, "PG_VERSION")); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// A power cut while the empty cluster is made costs nothing, so its making is not synced.
	_, err = e.command("initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256",
		"--pwfile="+filepath.Join(e.dir, passwordFile), "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync").output(ctx)
	return err
}

func (e *postgresEngine) helpers() []command { return nil }

func (e *postgresEngine) server() command {
	args := []string{"-D", filepath.Join(e.dir, "data")}
	for _, setting := range []string{
		"listen_addresses=" + loopback,
		"port=" + strconv.Itoa(e.port),
		"unix_socket_directories=", // none: their paths may not be longer than 107 bytes
		"fsync=on",
		"synchronous_commit=on",
		"max_connections=200",
		"log_min_messages=warning",
	} {
		args = append(args, "-c", setting)
	}
	return e.command("postgres", args...)
}

func (e *postgresEngine) command(program string, args ...string) command {
	return command{
		path: filepath.Join(e.bin, program), args: args, dir: e.dir, account: e.account,
		env:    []string{"PATH=" + systemPath, "HOME=" + e.dir, "LC_ALL=C.UTF-8"},
		quit:   syscall.SIGINT,  // roll back and shut down
		orphan: syscall.SIGQUIT, // end with every backend, at once
	}
}

func (e *postgresEngine) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, e.url())
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}

func (e *postgresEngine) url() string {
	return (&url.URL{Scheme: "postgres", User: url.UserPassword("postgres", e.password), Host: address(e.port), Path: "/postgres"}).String()
}

// systemPath is where the programs look for others.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// passwordFile holds the password of the server in the same folder.
const passwordFile = "password"

// password returns the password of the server in dir, drawn when dir is new:
// everybody on the machine can reach the port.
func (a account) password(dir string) (string, error) {
	path := filepath.Join(dir, passwordFile)
	if err := a.write(path, rand.Text()+"\n"); err != nil {
		return "", err
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}
