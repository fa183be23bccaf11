package footway_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/cmd/stores"
)

// TestPartnersExamples runs the shell examples of the partners' pages, as they stand,
// against the program with everything in memory and ten simulated robots.
func TestPartnersExamples(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds and runs the program")
	}
	for _, tool := range []string{"bash", "curl", "openssl", "jq", "od"} {
		backends.Program(t, tool)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	program := filepath.Join(dir, "footway")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/footway").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	args := []string{"serve", "all", "--embedded", "--log", "warn"}
	for _, name := range append(stores.ServiceNames, "telemetry") {
		args = append(args, "--listen", name+"=127.0.0.1:0")
	}
	said := started(ctx, t, program, args...)
	find := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(said)
		if m == nil {
			t.Fatalf("footway serve does not say %s:\n%s", pattern, said)
		}
		return m[1]
	}
	robots := exec.CommandContext(ctx, program, "robots", "--fleet", find(`--fleet (\S+)`), "--task", find(`--task (\S+)`), "--plain", "--register", "--count", "10")
	robots.Env = append(os.Environ(), find(`(FOOTWAY_ROBOTS_TOKEN=\S+)`), find(`(FOOTWAY_OPERATOR_TOKEN=\S+)`))
	run(t, robots)

	first := examples(read(t, "docs/partners/README.md"))
	const ask = "ORDER=" // the examples that ask for something begin here
	begin := strings.Index(first, ask)
	if begin < 0 {
		t.Fatalf("docs/partners/README.md has no example with %s", ask)
	}
	script := "set -euo pipefail\n" + setup(t) + first[:begin] + awaitRobots + first[begin:] +
		examples(read(t, "docs/partners/webhooks.md")) + examples(read(t, "docs/partners/sandbox.md")) + examples(read(t, "docs/partners/uber-direct.md"))
	bash := exec.CommandContext(ctx, "bash", "-c", script)
	bash.Dir = dir
	bash.Env = append(os.Environ(), "FOOTWAY_URL="+find(`address +(http://\S+)`), "DEVELOPER_ID="+find(`developer_id (\S+)`), "KEY_ID="+find(`key_id +(\S+)`), "SIGNING_SECRET="+find(`secret +(\S+)`),
		"CUSTOMER_ID="+find(`Partner (\S+) asks`))
	if out, err := bash.CombinedOutput(); err != nil {
		t.Fatalf("the examples fail: %v\n%s", err, out)
	}
	for file, want := range map[string]string{"quote.json": `"delivery_status":"quote"`, "delivery.json": `"pin_code_value"`, "cancelled.json": `"cancelled_by_creator"`,
		"uber-quote.json": `"kind":"delivery_quote"`, "uber-delivery.json": `"status":"pending"`, "uber-canceled.json": `"status":"canceled"`} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s, %v; want %s in it", file, text, err, want)
		}
	}
}

// awaitRobots waits until Dispatch knows of the robots, so that a quote is possible: while
// nothing waits it looks at Fleet once a minute.
const awaitRobots = `
for try in $(seq 300); do
  footway POST /drive/v2/serviceability "$(jq -n --arg from "$PICKUP" --arg to "$DROPOFF" '{pickup_address: $from, dropoff_address: $to}')" | jq -e .is_serviceable >/dev/null && break
  sleep 0.5
done
`

// examples returns the shell blocks of a page that are to be run: those without another word behind sh.
func examples(page string) string {
	var all strings.Builder
	for _, m := range regexp.MustCompile("(?s)\n```sh\n(.*?\n)```\n").FindAllStringSubmatch(page, -1) {
		all.WriteString(m[1] + "\n")
	}
	return all.String()
}

// setup returns the addresses that the quick start names.
func setup(t *testing.T) string {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^export (PICKUP|DROPOFF)=.*$`).FindAllString(read(t, "docs/partners/README.md"), -1)
	if len(lines) != 2 {
		t.Fatalf("docs/partners/README.md names %d addresses, want PICKUP and DROPOFF", len(lines))
	}
	return strings.Join(lines, "\n") + "\n"
}

// run starts a program that ends with the test; what it said is shown if the test fails.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &said
	}
	cmd.Stderr = &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Logf("%s had ended: %v", cmd.Args[1], err)
		}
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %v\n%s", cmd.Args[1], err, said.String())
		}
	})
}

// started runs a program and returns what it says until the line about its health.
func started(ctx context.Context, t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.StdoutPipe() // which ends when the program does
	if err != nil {
		t.Fatal(err)
	}
	run(t, cmd)
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "/readyz") {
			go io.Copy(io.Discard, out) // until it ends
			return said.String()
		}
	}
	t.Fatalf("%s ended before it served:\n%s", name, said.String())
	return ""
}
