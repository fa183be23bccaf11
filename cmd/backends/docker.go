package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"footway/adapters/backends"
)

// composeFile is relative to the root of the repository.
const composeFile = "deploy/compose.yaml"

// container is where compose.yaml says a kind of backend is.
type container struct {
	service string // its name
	port    string // the variable that chooses its port on this machine
	usual   int    // that port when the variable is not set
	inside  int    // the port in the container
	address string // of the backend, for fmt with host:port
}

var containers = map[backends.Kind]container{
	backends.Postgres: {"postgres", "FOOTWAY_POSTGRES_PORT", 55432, 5432, "postgres://postgres:secret@%s/postgres"},
	backends.RabbitMQ: {"rabbitmq", "FOOTWAY_RABBITMQ_PORT", 55672, 5672, "amqp://footway:secret@%s/"},
	backends.DynamoDB: {"dynalite", "FOOTWAY_DYNAMODB_PORT", 54567, 4567, "http://%s"},
}

// Pulling images for the first time is what takes long.
const (
	askWithin  = 10 * time.Second
	upWithin   = 10 * time.Minute
	downWithin = time.Minute
)

// engine reports whether a Docker engine answers.
func engine(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "info").Run() == nil
}

// compose is one project of Docker Compose, apart from any other on the machine.
type compose struct {
	file, project string
	environ       []string
}

// compose starts the kinds as containers on free ports.
func (s *set) compose(ctx context.Context, kinds []backends.Kind) error {
	file, err := findUp(composeFile)
	if err != nil {
		return err
	}
	c := &compose{file: file, project: "footway-" + strconv.Itoa(os.Getpid()), environ: os.Environ()}
	var services []string
	for _, k := range kinds {
		at, err := freeAddress()
		if err != nil {
			return err
		}
		_, port, err := net.SplitHostPort(at)
		if err != nil {
			return err
		}
		services = append(services, containers[k].service)
		c.environ = append(c.environ, containers[k].port+"="+port)
		s.addresses[k] = fmt.Sprintf(containers[k].address, at)
	}
	s.docker = c // from here on there may be something to take down
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	fmt.Fprintf(s.stderr, "backends: %q from Docker, project %s\n", services, c.project)
	return c.run(ctx, append([]string{"up", "--detach", "--wait"}, services...)...)
}

// down removes the containers, and their data unless it is to be kept.
func (c *compose) down(ctx context.Context, keep bool) error {
	ctx, cancel := context.WithTimeout(ctx, downWithin)
	defer cancel()
	args := []string{"down", "--remove-orphans"}
	if !keep {
		args = append(args, "--volumes")
	}
	return c.run(ctx, args...)
}

func (c *compose) run(ctx context.Context, args ...string) error {
	args = append([]string{"compose", "--file", c.file, "--project-name", c.project}, args...)
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = c.environ
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("docker %q: %w\n%s", args, errors.Join(err, ctx.Err()), bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// findUp looks for a file of the repository from the working directory upward.
func findUp(name string) (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil || !errors.Is(err, os.ErrNotExist) {
			return path, err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no %s in %s or above: run this in the repository", name, here)
		}
	}
}
