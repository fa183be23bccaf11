package backends

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// echo answers each line with itself, and counts the lines that arrived.
func echo(t *testing.T) (address string, arrived chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	arrived = make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed: the test is over
			}
			go func() {
				defer conn.Close()
				lines := bufio.NewScanner(conn)
				for lines.Scan() {
					arrived <- lines.Text()
					if _, err := io.WriteString(conn, lines.Text()+"\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), arrived
}

// ask sends a line on a new connection and returns the answer.
func ask(address, line string, within time.Duration) (string, error) {
	conn, err := net.DialTimeout("tcp", address, within)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSuffix(answer, "\n"), err
}

const (
	patient   = 10 * time.Second
	impatient = 300 * time.Millisecond
)

func TestProxy(t *testing.T) {
	upstream, arrived := echo(t)
	link := Proxy(t, "test://"+upstream+"/path")
	if got, want := link.URL(), "test://"+link.Addr()+"/path"; got != want {
		t.Errorf("URL() = %s, want %s", got, want)
	}
	// Each fault, what the client sees of it, and whether its request arrived.
	tests := []struct {
		name    string
		fault   func()
		fails   func(error) bool // nil: it succeeds
		arrives bool
	}{
		{"nothing", func() {}, nil, true},
		{"black hole up", func() { link.BlackHole(Up) }, timedOut, false},
		{"black hole down", func() { link.BlackHole(Down) }, timedOut, true},
		{"reset up", func() { link.Reset(Up) }, broken, false},
		{"reset down", func() { link.Reset(Down) }, broken, true},
		{"cut", link.Cut, broken, false},
		{"cut and restored", func() { link.Cut(); link.Restore() }, nil, true},
		{"both holes", func() { link.BlackHole(Up); link.BlackHole(Down) }, timedOut, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.fault()
			within := patient
			if tt.fails != nil {
				within = impatient
			}
			got, err := ask(link.Addr(), tt.name, within)
			switch {
			case tt.fails == nil && (err != nil || got != tt.name):
				t.Errorf("the answer is %q, %v; want %q", got, err, tt.name)
			case tt.fails != nil && !tt.fails(err):
				t.Errorf("the answer is %q, %v; want another failure", got, err)
			}
			if tt.arrives {
				if line := next(arrived, patient); line != tt.name {
					t.Errorf("%q arrived, want %q", line, tt.name)
				}
			}
			link.Heal()
			// Whatever arrives first now shows whether the request went through.
			if got, err := ask(link.Addr(), "healed", patient); err != nil || got != "healed" {
				t.Errorf("after Heal the answer is %q, %v", got, err)
			}
			if line := next(arrived, patient); line != "healed" {
				t.Errorf("%q arrived, want nothing but what was asked after Heal", line)
			}
		})
	}
}

func TestProxyLatency(t *testing.T) {
	const delay = 100 * time.Millisecond
	upstream, _ := echo(t)
	link := Proxy(t, upstream)
	link.Latency(delay, 0, Up)
	link.Latency(delay, 0, Down)
	start := time.Now()
	if _, err := ask(link.Addr(), "slow", patient); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 2*delay {
		t.Errorf("there and back took %v, want at least %v", took, 2*delay)
	}
}

func next(arrived chan string, within time.Duration) string {
	select {
	case line := <-arrived:
		return line
	case <-time.After(within):
		return "nothing"
	}
}

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func broken(err error) bool { return err != nil && !timedOut(err) }
