package backends

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// rabbitEngine runs a node with an Erlang port mapper of its own, so that no
// other node on the machine knows its name.
type rabbitEngine struct {
	bin, epmd        string
	dir              string
	account          account
	port, dist, epmp int // of AMQP, between nodes, of the port mapper
	password         string
}

const rabbitNode = "footway@localhost"

func newRabbit(dir string, a account) (*rabbitEngine, error) {
	e := &rabbitEngine{dir: dir, account: a}
	var err error
	if e.bin, err = rabbitBin(); err != nil {
		return nil, err
	}
	if e.epmd, err = epmdPath(); err != nil {
		return nil, err
	}
	for _, port := range []*int{&e.port, &e.dist, &e.epmp} {
		if *port, err = freePort(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *rabbitEngine) prepare(context.Context) (err error) {
	if e.password, err = e.account.password(e.dir); err != nil {
		return err
	}
	conf := []string{
		"listeners.tcp.1 = " + address(e.port),
		"loopback_users = none",
		"default_user = footway",
		"default_pass = " + e.password,
		"disk_free_limit.absolute = 50MB",
		"vm_memory_high_watermark.absolute = 1GB",
	}
	// The port is another each time a folder is used again.
	path := filepath.Join(e.dir, "rabbitmq.conf")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return errors.Join(
		e.account.write(path, strings.Join(conf, "\n")+"\n"),
		e.account.write(filepath.Join(e.dir, ".erlang.cookie"), rand.Text()),
		e.account.write(filepath.Join(e.dir, "plugins"), "[].\n"),
	)
}

// helpers is the port mapper. A node starts one itself if there is none, but
// as a daemon that outlives it.
func (e *rabbitEngine) helpers() []command {
	c := e.command(e.epmd, "-port", strconv.Itoa(e.epmp), "-address", loopback)
	c.quit = syscall.SIGKILL // it has no other way, and nothing to lose
	return []command{c}
}

func (e *rabbitEngine) server() command {
	c := e.command(filepath.Join(e.bin, "rabbitmq-server"))
	// Makes the script become the node, where it would start and guard it.
	c.env = append(c.env, "RUNNING_UNDER_SYSTEMD=true")
	return c
}

func (e *rabbitEngine) command(path string, args ...string) command {
	in := func(name string) string { return filepath.Join(e.dir, name) }
	return command{
		path: path, args: args, dir: e.dir, account: e.account,
		quit:   syscall.SIGTERM,
		orphan: syscall.SIGKILL,
		env: []string{
			"PATH=" + systemPath,
			"HOME=" + e.dir, // of the cookie
			"LC_ALL=C.UTF-8",
			"RABBITMQ_NODENAME=" + rabbitNode,
			"RABBITMQ_NODE_PORT=" + strconv.Itoa(e.port),
			"RABBITMQ_DIST_PORT=" + strconv.Itoa(e.dist),
			"RABBITMQ_MNESIA_BASE=" + in("data"),
			"RABBITMQ_LOG_BASE=" + e.dir,
			"RABBITMQ_LOGS=-", // to standard output
			"RABBITMQ_CONFIG_FILE=" + in("rabbitmq.conf"),
			"RABBITMQ_ENABLED_PLUGINS_FILE=" + in("plugins"),
			"RABBITMQ_CONF_ENV_FILE=/dev/null",
			"RABBITMQ_PID_FILE=" + in("pid"),
			"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
			"ERL_EPMD_PORT=" + strconv.Itoa(e.epmp),
			"ERL_EPMD_ADDRESS=" + loopback,
		},
	}
}

// ready connects as clients do and then waits for the end of the boot: the node
// takes connections a little earlier, and a request to a quorum queue that has
// no leader yet is then not answered at all.
func (e *rabbitEngine) ready(ctx context.Context) error {
	const within = 5 * time.Second
	conn, err := amqp.DialConfig(e.url(), amqp.Config{Dial: amqp.DefaultDial(within)})
	if err != nil {
		return err
	}
	if err := conn.CloseDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err = e.ctl("await_startup").output(ctx)
	return err
}

func (e *rabbitEngine) ctl(args ...string) command {
	return e.command(filepath.Join(e.bin, "rabbitmqctl"), append([]string{"--node", rabbitNode}, args...)...)
}

func (e *rabbitEngine) url() string {
	return (&url.URL{Scheme: "amqp", User: url.UserPassword("footway", e.password), Host: address(e.port), Path: "/"}).String()
}

// Ctl runs rabbitmqctl against the node and returns what it says. A memory
// alarm, which blocks every publisher, is Ctl(ctx, "set_vm_memory_high_watermark", "0")
// until Ctl(ctx, "set_vm_memory_high_watermark", "absolute", "1GB").
func (s *Server) Ctl(ctx context.Context, args ...string) (string, error) {
	e, ok := s.engine.(*rabbitEngine)
	if !ok {
		return "", fmt.Errorf("rabbitmqctl %q: this server is %s", args, s.kind.Name())
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	return e.ctl(args...).output(ctx)
}
