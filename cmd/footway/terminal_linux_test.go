package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// onTerminal runs the program on a pseudo-terminal and returns what came to it.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("not run, no pseudo-terminal: %v", err)
	}
	defer screen.Close()
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan string)
	go func() {
		b, _ := io.ReadAll(screen) // ends in EIO when nobody has the terminal any more
		shown <- string(b)
	}()
	code := run(t.Context(), args, tty, tty)
	if err := tty.Close(); err != nil {
		t.Error(err)
	}
	text := <-shown
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, text)
	}
	return text
}

var (
	colors       = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	progressLine = regexp.MustCompile(`\d\d:\d\d +\d+ of +\d+ deliveries ended`)
)

// TestTerminal sees progress and colors where a person looks, and no colors
// for one who does not want them. That there is neither in a pipe, the scripts see.
func TestTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	text := onTerminal(t, "run", "lunch-rush") // long enough for progress to be shown
	if !colors.MatchString(text) || !progressLine.MatchString(text) {
		t.Errorf("on a terminal: colors %v, progress %v; want both in %q", colors.MatchString(text), progressLine.MatchString(text), text)
	}
	t.Setenv("NO_COLOR", "1")
	text = onTerminal(t, "run", "testdata/small.yaml")
	if colors.MatchString(text) || !strings.Contains(text, "click to door") {
		t.Errorf("with NO_COLOR=1: want the table without colors, got %q", text)
	}
}
