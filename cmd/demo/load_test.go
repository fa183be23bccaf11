package demo_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"footway/adapters/ident"
	"footway/cmd/serve"
	"footway/core/clock"
	"footway/core/delivery"
)

// Of the load that one process is to bear.
const (
	loadBoards = 500
	loadPages  = 2000
	loadFor    = time.Minute
)

// crowd is all who look at the demo at a time.
type crowd struct {
	t      *testing.T
	url    string
	token  string
	links  *ident.Links
	client *http.Client
	open   atomic.Pointer[[]delivery.ID]

	boards, pages, boardEvents, robotEvents, broken atomic.Int64

	mu           sync.Mutex
	toPage, toIt []time.Duration // from an update to the page that shows it, and to its stream
}

// TestLoad has 500 boards and 2,000 recipients' pages look at a demo in another process, and says what
// that takes. It runs where FOOTWAY_LOAD is set, since it wants the machine for itself.
func TestLoad(t *testing.T) {
	if os.Getenv("FOOTWAY_LOAD") == "" {
		t.Skip("FOOTWAY_LOAD is not set: the load of many pages is not measured")
	}
	t.Setenv(serve.EmbeddedOperator, rand.Text()+rand.Text())
	c := &crowd{t: t, token: rand.Text() + rand.Text(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4000}}}
	key := rand.Text() + rand.Text()
	var err error
	if c.links, err = ident.NewLinks([]byte(key)); err != nil {
		t.Fatal(err)
	}
	pid := c.start(map[string]string{serve.EmbeddedLinks: key, serve.EmbeddedService: c.token})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { c.find(ctx) })
	for i := range loadBoards {
		all.Go(func() { c.board(ctx, i) })
	}
	for i := range loadPages {
		all.Go(func() { c.page(ctx, i) })
	}
	for end := time.Now().Add(2 * time.Minute); c.boards.Load() < loadBoards || c.pages.Load() < loadPages*9/10; time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("only %d boards and %d pages are open", c.boards.Load(), c.pages.Load())
		}
	}
	c.mu.Lock()
	c.toPage, c.toIt = nil, nil
	c.mu.Unlock()
	cpu, events, robots := c.metric("process_cpu_seconds_total"), c.boardEvents.Load(), c.robotEvents.Load()
	time.Sleep(loadFor)
	cpu = (c.metric("process_cpu_seconds_total") - cpu) / loadFor.Seconds()
	memory := c.metric("process_resident_memory_bytes")
	c.mu.Lock()
	defer c.mu.Unlock()
	at := func(all []time.Duration, share float64) time.Duration {
		slices.Sort(all)
		return all[min(len(all)-1, int(share*float64(len(all))))].Round(time.Millisecond)
	}
	if len(c.toPage) < 100 {
		t.Fatalf("only %d updates reached pages", len(c.toPage))
	}
	t.Logf("process %d: %d boards, %d pages: %.0f MB, %.2f CPU; %.0f board events/s, %.0f robot events/s, %.1f updates/s to pages; to the stream p50 %v p99 %v; to the page p50 %v p99 %v; %d streams broke",
		pid, c.boards.Load(), c.pages.Load(), memory/1e6, cpu, float64(c.boardEvents.Load()-events)/loadFor.Seconds(), float64(c.robotEvents.Load()-robots)/loadFor.Seconds(),
		float64(len(c.toPage))/loadFor.Seconds(), at(c.toIt, .5), at(c.toIt, .99), at(c.toPage, .5), at(c.toPage, .99), c.broken.Load())
	cancel()
	c.client.CloseIdleConnections()
	all.Wait()
}

// start starts the demo in a process of its own.
func (c *crowd) start(env map[string]string) int {
	c.t.Helper()
	program := filepath.Join(c.t.TempDir(), "footway")
	if out, err := exec.CommandContext(c.t.Context(), "go", "build", "-o", program, "../footway").CombinedOutput(); err != nil {
		c.t.Fatalf("build: %v\n%s", err, out)
	}
	p := exec.Command(program, "demo", "--listen", "127.0.0.1:0", "--robots", "200", "--orders", "250", "--speed", "10")
	p.Env = os.Environ()
	for k, v := range env {
		p.Env = append(p.Env, k+"="+v)
	}
	p.Stderr = os.Stderr
	out, err := p.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = p.Process.Signal(os.Interrupt)
		_ = p.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	c.url = regexp.MustCompile(`http://\S+`).FindString(line)
	return p.Process.Pid
}

func (c *crowd) metric(name string) float64 {
	c.t.Helper()
	_, body := get(c.t, c.url+"/metrics")
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(body)
	if m == nil {
		c.t.Fatalf("there is no metric %s", name)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

func (c *crowd) request(ctx context.Context, path string, service bool) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	if service {
		r.Header.Set("Authorization", "Bearer "+os.Getenv(serve.EmbeddedOperator))
		r.Header.Set("Footway-Partner", "bites")
	}
	return c.client.Do(r)
}

// find keeps the list of deliveries that are under way.
func (c *crowd) find(ctx context.Context) {
	const query = "/v1/board?limit=200&state=requested&state=assigned&state=to_pickup&state=at_pickup&state=loaded&state=to_dropoff&state=at_dropoff"
	for ; ctx.Err() == nil; time.Sleep(2 * time.Second) {
		a, err := c.request(ctx, query, true)
		if err != nil {
			continue
		}
		var page struct {
			Deliveries []struct {
				ID delivery.ID `json:"id"`
			} `json:"deliveries"`
		}
		err = json.NewDecoder(a.Body).Decode(&page)
		_ = a.Body.Close()
		var ids []delivery.ID
		for _, d := range page.Deliveries {
			ids = append(ids, d.ID)
		}
		if err == nil && len(ids) > 0 {
			c.open.Store(&ids)
		}
	}
}

// stream reads server-sent events until the stream ends.
func (c *crowd) stream(ctx context.Context, path string, service bool, up *atomic.Int64, take func(kind, data string)) {
	a, err := c.request(ctx, path, service)
	if err != nil {
		c.broken.Add(1)
		return
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		if a.StatusCode != http.StatusNoContent {
			c.broken.Add(1)
		}
		return
	}
	up.Add(1)
	defer up.Add(-1)
	lines := bufio.NewScanner(a.Body)
	lines.Buffer(nil, 1<<20)
	kind := ""
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = name
		} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			take(kind, data)
		}
	}
}

func (c *crowd) board(ctx context.Context, i int) {
	for first := true; ctx.Err() == nil; first = false {
		if first {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
		} else {
			time.Sleep(time.Second)
		}
		c.stream(ctx, "/v1/board/events?limit=50", true, &c.boards, func(string, string) { c.boardEvents.Add(1) })
	}
}

// page does what a recipient's page does.
func (c *crowd) page(ctx context.Context, i int) {
	time.Sleep(time.Duration(i) * 10 * time.Millisecond)
	for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
		ids := c.open.Load()
		if ids == nil {
			continue
		}
		link := "/r/" + c.links.Token((*ids)[i%len(*ids)], clock.Of(time.Now().Add(time.Hour)))
		opened := time.Now()
		c.stream(ctx, link+"/events", false, &c.pages, func(kind, data string) {
			if kind == "robot" {
				c.robotEvents.Add(1)
				return
			}
			var u struct {
				At time.Time `json:"at"`
			}
			if json.Unmarshal([]byte(data), &u) != nil || u.At.Before(opened) {
				return // it happened before anybody looked
			}
			heard := time.Since(u.At)
			a, err := c.request(ctx, link+"/now", false)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, a.Body)
			_ = a.Body.Close()
			c.mu.Lock()
			c.toIt, c.toPage = append(c.toIt, heard), append(c.toPage, time.Since(u.At))
			c.mu.Unlock()
		})
	}
}
