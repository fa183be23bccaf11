package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"footway/adapters/backends"
)

// elsewhere names servers that nobody starts or asks: the program takes them
// as they are.
var elsewhere = map[backends.Kind]string{
	backends.Postgres: "postgres://u:hush@elsewhere:1/db",
	backends.RabbitMQ: "amqp://u:hush@elsewhere:2/",
	backends.DynamoDB: "http://elsewhere:3",
}

// environ is the environment of the test with the given servers named.
func environ(kinds ...backends.Kind) []string {
	env := slices.DeleteFunc(os.Environ(), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return name == "CI" || slices.Contains(backends.Kinds(), backends.Kind(name))
	})
	for _, k := range kinds {
		env = append(env, string(k)+"="+elsewhere[k])
	}
	return env
}

// outcome runs the program.
func outcome(ctx context.Context, env []string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(ctx, args, program{stdout: &out, stderr: &err, environ: env})
	return code, out.String(), err.String()
}

func TestExitCode(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want int
	}{
		{"success", []string{"--", "true"}, 0},
		{"the command's", []string{"--", "sh", "-c", "exit 7"}, 7},
		{"a signal's", []string{"--", "sh", "-c", "kill -9 $$"}, 128 + 9},
		{"no such command", []string{"--", "/no/such/command"}, 1},
		{"no such flag", []string{"--kepp"}, 2},
		{"help", []string{"--help"}, 0},
		{"no such folder", []string{"--dir", "/dev/null/x", "--", "true"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _, stderr := outcome(t.Context(), environ(backends.Kinds()...), tt.args...); got != tt.want {
				t.Errorf("%q exits with %d, want %d; it said:\n%s", tt.args, got, tt.want, stderr)
			}
		})
	}
}

func TestNamedServersAreUsed(t *testing.T) {
	code, stdout, stderr := outcome(t.Context(), environ(backends.Kinds()...), "--", "env")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	for k, address := range elsewhere {
		if want := string(k) + "=" + address + "\n"; !strings.Contains(stdout, want) {
			t.Errorf("the command's environment lacks %q", want)
		}
	}
	if strings.Contains(stderr, "hush") {
		t.Errorf("a password is in what it said:\n%s", stderr)
	}
}

// TestStartsOne: the one that is not named is started for the command, and
// gone when the command has ended, however it ended.
func TestStartsOne(t *testing.T) {
	env := environ(backends.Postgres, backends.RabbitMQ)
	code, stdout, stderr := outcome(t.Context(), env, "--", "sh", "-c", "echo $"+string(backends.DynamoDB)+"; exit 3")
	if strings.Contains(stderr, "NOT RUN") {
		lacking(t, stderr)
	}
	if code != 3 {
		t.Fatalf("exit code %d, want the command's 3:\n%s", code, stderr)
	}
	u, err := url.Parse(strings.TrimSpace(stdout))
	if err != nil || u.Port() == "" {
		t.Fatalf("the command's address is %q (%v), want http://host:port", stdout, err)
	}
	refused(t, u.Host)
}

// TestWithoutCommand: it prints the addresses, serves, and stops when told to.
func TestWithoutCommand(t *testing.T) {
	t.Run("for a shell", func(t *testing.T) {
		want := "export " + string(backends.Postgres) + "='" + elsewhere[backends.Postgres] + "'\n"
		if line := printed(t); line != want {
			t.Errorf("printed %q first, want %q", line, want)
		}
	})
	t.Run("as JSON", func(t *testing.T) {
		line := printed(t, "--json")
		var got map[backends.Kind]string
		if err := json.Unmarshal([]byte(line), &got); err != nil || !maps.Equal(got, elsewhere) {
			t.Errorf("printed %q (%v), want %v", line, err, elsewhere)
		}
	})
}

// printed runs the program without a command, stops it once it has printed
// something, and returns the first line.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := &firstLine{then: make(chan string, 10)}
	var stderr bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, args, program{stdout: lines, stderr: &stderr, environ: environ(backends.Kinds()...)})
	}()
	var line string
	select {
	case line = <-lines.then:
	case <-time.After(20 * time.Second):
		t.Error("printed nothing")
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d after Ctrl-C, want 0:\n%s", code, stderr.String())
	}
	return line
}

// firstLine hands on each write: the printer writes line by line.
type firstLine struct{ then chan string }

func (w *firstLine) Write(p []byte) (int, error) {
	w.then <- string(p)
	return len(p), nil
}

// TestInterrupted: what the command has started ends with it.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready := filepath.Join(t.TempDir(), "ready")
	done := make(chan int, 1)
	go func() {
		code, _, _ := outcome(ctx, environ(backends.Kinds()...), "--", "sh", "-c", "sleep 300 & echo $! > "+ready+".new; mv "+ready+".new "+ready+"; wait")
		done <- code
	}()
	var sleeper string
	eventually(t, "the command runs", func() bool {
		text, err := os.ReadFile(ready)
		sleeper = strings.TrimSpace(string(text))
		return err == nil
	})
	cancel()
	told := time.Now()
	if code := <-done; code != 128+15 {
		t.Errorf("exit code %d, want %d for SIGTERM", code, 128+15)
	}
	if took := time.Since(told); took >= grace {
		t.Errorf("it ended after %v, when it was killed: only the command was told to end, and not what it had started", took)
	}
	eventually(t, "what the command started has ended", func() bool {
		state, err := os.ReadFile("/proc/" + sleeper + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ")
	})
}

// eventually waits for what must become true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for range time.Tick(10 * time.Millisecond) {
		if is() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// TestNotRun: what is missing is said aloud, and fails where CI is true.
func TestNotRun(t *testing.T) {
	t.Chdir(t.TempDir()) // no .cache here, and so no dynalite
	stubDocker(t, "exit 1")
	env := environ(backends.Postgres, backends.RabbitMQ)
	code, stdout, stderr := outcome(t.Context(), env, "--", "echo", "ran")
	if code != 0 || stdout != "ran\n" {
		t.Errorf("exit code %d, output %q; want the command to have run", code, stdout)
	}
	for _, want := range []string{"NOT RUN: dynalite", "make backends-install", "Docker", string(backends.DynamoDB)} {
		if !strings.Contains(stderr, want) {
			t.Errorf("it does not say %q:\n%s", want, stderr)
		}
	}
	code, stdout, _ = outcome(t.Context(), append(env, "CI=true"), "--", "echo", "ran")
	if code != 1 || stdout != "" {
		t.Errorf("with CI=true: exit code %d, output %q; want 1 and no run", code, stdout)
	}
}

// TestDocker: what is missing comes from Compose, and goes again, data and
// all. The engine is a stub that notes how it was called.
func TestDocker(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "deploy"), os.DirFS("../../deploy")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	calls := filepath.Join(dir, "calls")
	stubDocker(t, `echo "$FOOTWAY_DYNAMODB_PORT $*" >> `+calls)
	code, stdout, stderr := outcome(t.Context(), environ(backends.Postgres, backends.RabbitMQ), "--", "sh", "-c", "echo $"+string(backends.DynamoDB))
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	u, err := url.Parse(strings.TrimSpace(stdout))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	want := []string{
		" info",
		u.Port() + " compose --file " + filepath.Join(dir, composeFile) + " --project-name PROJECT up --detach --wait dynalite",
		u.Port() + " compose --file " + filepath.Join(dir, composeFile) + " --project-name PROJECT down --remove-orphans --volumes",
	}
	for i, line := range lines {
		fields := strings.Fields(line)
		if at := slices.Index(fields, "--project-name"); at >= 0 {
			lines[i] = strings.Replace(line, fields[at+1], "PROJECT", 1)
		}
	}
	if !slices.Equal(lines, want) {
		t.Errorf("docker was called with\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// stubDocker puts a docker first in PATH that does what the script says.
func stubDocker(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func lacking(t *testing.T, said string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(said)
	}
	t.Skip(said)
}

func refused(t *testing.T, address string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err == nil {
		conn.Close()
		t.Errorf("somebody listens at %s, want nobody", address)
	}
}
