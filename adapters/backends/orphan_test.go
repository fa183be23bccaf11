package backends

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// orphanVariable makes the test program a starter of servers, in the folder it
// names, that never stops them.
const orphanVariable = "FOOTWAY_BACKENDS_ORPHANS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphanVariable); dir != "" {
		leaveOrphans(dir)
		return
	}
	os.Exit(m.Run())
}

// leaveOrphans prints the addresses of what it has started, and waits to be killed.
func leaveOrphans(dir string) {
	for _, k := range Kinds() {
		s, err := Start(context.Background(), k, Options{Dir: filepath.Join(dir, strings.ToLower(k.Name()))})
		if err != nil {
			fmt.Println("not started:", err)
			continue
		}
		fmt.Println(s.URL())
	}
	fmt.Println("end")
	select {}
}

// TestOrphans: when the starter is killed outright, its servers end.
func TestOrphans(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("NOT RUN: only Linux ends the servers of a starter that was killed")
	}
	dir := openFolder(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orphanVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var hosts []string
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "end" {
		if u, err := url.Parse(lines.Text()); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		} else {
			t.Log(lines.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the starter ended well, want it killed")
	}
	if len(hosts) == 0 {
		notRun(t, "no server could be started")
	}
	deadline := time.Now().Add(20 * time.Second)
	for _, host := range hosts {
		for {
			conn, err := net.DialTimeout("tcp", host, time.Second)
			if err != nil {
				break
			}
			conn.Close()
			if time.Now().After(deadline) {
				t.Fatalf("the server at %s outlived its starter", host)
			}
		}
	}
	for {
		pids, err := stragglers(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(pids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("processes %v outlived their starter", pids)
		}
	}
	none(t, dir)
}
