//go:build !js

package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"footway/adapters/backends"
	"footway/cmd/web"
	"footway/visualizer/desk"
)

// builtProgram builds the program for browsers.
func builtProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "footway.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build for js/wasm: %v\n%s", err, out)
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	loader, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "wasm_exec.js"), loader, 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(program + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tab is a page in a browser without a screen.
type tab struct {
	*testing.T
	ctx    context.Context
	errors chan string
}

func openTab(t *testing.T, address string, width, height int64, options ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	path := backends.Program(t, backends.Browser...)
	options = append(append(chromedp.DefaultExecAllocatorOptions[:], options...),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(int(width), int(height)), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("use-gl", "angle"), chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true), chromedp.Flag("disable-quic", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(log.New(os.Stderr, "", 0).Printf))
	t.Cleanup(cancel)
	b := &tab{t, ctx, make(chan string, 100)}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil { // its context is the browser's
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	b.run(chromedp.Navigate(address))
	return b
}

// hear keeps what the page says in its console.
func (b *tab) hear(ev any) {
	text := ""
	switch e := ev.(type) {
	case *cdpruntime.EventExceptionThrown:
		text = fmt.Sprintf("%+v", e.ExceptionDetails)
	case *cdpruntime.EventConsoleAPICalled:
		for _, a := range e.Args {
			text += strings.Trim(string(a.Value), `"`) + " "
		}
	default:
		return
	}
	select {
	case b.errors <- text:
	default:
	}
}

func (b *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("%v; the page says: %s", err, b.said())
	}
}

// evaluate returns what an expression of the page is.
func evaluate[T any](b *tab, expression string) T {
	b.Helper()
	return result(b, chromedp.Evaluate[T](expression))
}

func result[T any](b *tab, a chromedp.Action[T]) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.Fatalf("%v; the page says: %s", err, b.said())
	}
	return v
}

func (b *tab) said() string {
	var all []string
	for {
		select {
		case text := <-b.errors:
			all = append(all, text)
		default:
			return strings.Join(all, "\n")
		}
	}
}

// status is what the page says of itself.
type status struct {
	desk.Status
	Ready  bool    `json:"-"`
	Link   string  `json:"link"`
	Draws  int     `json:"draws"`
	Ticks  int     `json:"ticks"`
	TookMS float64 `json:"took_ms"`
}

func (b *tab) status() status {
	b.Helper()
	text := evaluate[string](b, `window.footway ? window.footway.status() : ""`)
	var s status
	if text == "" {
		return s
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		b.Fatalf("%v in %s", err, text)
	}
	s.Ready = true
	if s.Error != "" {
		b.Fatal(s.Error)
	}
	return s
}

// until waits for the page to be so.
func (b *tab) until(what string, is func(status) bool) status {
	b.Helper()
	for deadline := time.Now().Add(patience); ; {
		s := b.status()
		if s.Ready && is(s) {
			return s
		}
		if time.Now().After(deadline) {
			b.shot("win-web-failed")
			s.KPIs, s.Other = nil, nil
			b.Fatalf("%s: did not come about: %+v; the page says: %s", what, s, b.said())
		}
		b.run(chromedp.Sleep(30 * time.Millisecond))
	}
}

// ticks waits until the page has looked at its hands and shown what came of it.
func (b *tab) ticks() {
	b.Helper()
	from := b.status().Ticks
	b.until("frames", func(s status) bool { return s.Ticks > from+2 })
}

// key presses a key as a keyboard does; the page looks at the keyboard once in a frame.
func (b *tab) key(key, code, text string) {
	b.Helper()
	event := func(kind input.DispatchKeyEventType, text string) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: key, Code: code, Text: text})
			return err
		})
	}
	b.run(event(input.DispatchKeyEventTypeKeyDown, text))
	b.ticks()
	b.run(event(input.DispatchKeyEventTypeKeyUp, ""))
	b.ticks()
}

func (b *tab) click(x, y float64) {
	b.Helper()
	b.run(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
	b.ticks()
	b.run(chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	b.ticks()
	b.run(chromedp.MouseEvent(chromedp.MouseReleased, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	b.ticks()
}

// shot keeps a picture to be looked at, if FOOTWAY_SHOTS names a folder.
func (b *tab) shot(name string) {
	b.Helper()
	dir := os.Getenv("FOOTWAY_SHOTS")
	if dir == "" {
		return
	}
	b.run(chromedp.Sleep(400 * time.Millisecond))
	png := result(b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.Fatal(err)
	}
}

// TestBrowser does in a browser what a dispatch engineer does: plays, scrubs, looks at a robot, and
// runs the city again with another policy.
func TestBrowser(t *testing.T) {
	backends.Program(t, backends.Browser...)
	pages := http.NewServeMux()
	pages.Handle("/", web.New(web.Options{Built: os.DirFS(builtProgram(t))}))
	folder := replayed(t)
	pages.Handle("/runs/", http.StripPrefix("/runs/", http.FileServer(http.Dir(folder))))
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	began := time.Now()
	b := openTab(t, server.URL+"/twin#scenario=lunch-rush&play=1&theme=light", 1440, 900)
	first := b.until("the city is shown", func(s status) bool { return s.Robots > 0 && s.Draws > 0 })
	t.Logf("first picture after %v, at %v of the run", time.Since(began).Round(10*time.Millisecond), first.After)
	b.shot("win-web-first")
	b.until("it plays", func(s status) bool { return s.Playing && s.Time > first.Time })
	b.until("the run is complete", func(s status) bool { return !s.Growing })
	t.Logf("run complete after %v", time.Since(began).Round(10*time.Millisecond))
	b.key(" ", "Space", " ")
	paused := b.until("it pauses", func(s status) bool { return !s.Playing })
	b.click(620, 846)
	far := b.until("it scrubs", func(s status) bool { return s.Time > paused.Time+20*60*1000 })
	b.shot("win-web-city")
	b.clickRobot()
	b.shot("win-web-robot")
	t.Logf("draw: %d calls, %.1f ms", far.Draws, far.TookMS)
	b.forks(far)
	b.again()

	// A run from an address, with the recording that it replays.
	day := openTab(t, server.URL+"/twin#run=runs/run.fwlog&fork=+10m&change=dispatch.policy=nearest&panel=compare", 1440, 900)
	day.until("a replay is made anew of what is beside its log", func(s status) bool {
		return s.Runs == 2 && !s.Growing && s.KPIs["delivered"] == 1 && s.Other["delivered"] == 1
	})
	day.shot("win-web-replay")

	tablet := openTab(t, server.URL+"/twin#scenario=lunch-rush&at=+40m", 1024, 768)
	tablet.run(chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch))
	tablet.fingers()
	tablet.drops(folder)
}

// drops lets go of the folder of a run over the page.
func (b *tab) drops(folder string) {
	b.Helper()
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: 500, Y: 400, Data: &input.DragData{Items: []*input.DragDataItem{}, Files: []string{folder}, DragOperationsMask: 1}})
			return err
		}))
	}
	b.until("the dropped run is shown", func(s status) bool { return s.Robots == 9 && s.KPIs["delivered"] == 1 })
	b.shot("win-web-dropped")
}

// touch puts fingers on the screen, moves them along, and lifts them.
func (b *tab) touch(ways ...[]*input.TouchPoint) {
	b.Helper()
	event := func(kind input.DispatchTouchEventType, at []*input.TouchPoint) {
		b.run(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: at})
			return err
		}))
		b.ticks()
	}
	event(input.DispatchTouchEventTypeTouchStart, ways[0])
	for _, at := range ways[1:] {
		event(input.DispatchTouchEventTypeTouchMove, at)
	}
	event(input.DispatchTouchEventTypeTouchEnd, []*input.TouchPoint{})
}

// fingers moves the map with one finger, zooms with two, and taps on a robot and on a button.
func (b *tab) fingers() {
	b.Helper()
	at := func(x, y float64) *input.TouchPoint { return &input.TouchPoint{X: x, Y: y} }
	view := func() desk.Link {
		l, err := desk.ParseLink(b.status().Link, desk.NewLink())
		if err != nil {
			b.Fatal(err)
		}
		return l
	}
	b.until("the city is shown", func(s status) bool { return s.Robots > 0 && s.Draws > 0 && !s.Growing })
	b.touch([]*input.TouchPoint{at(500, 400)}, []*input.TouchPoint{at(460, 380)}, []*input.TouchPoint{at(400, 330)})
	moved := view()
	if moved.Zoom == 0 {
		b.Error("a finger does not move the map")
	}
	apart := func(d float64) []*input.TouchPoint {
		return []*input.TouchPoint{{X: 512 - d, Y: 350, ID: new(1.0)}, {X: 512 + d, Y: 350, ID: new(2.0)}}
	}
	b.touch(apart(60), apart(90), apart(120))
	if near := view(); near.Zoom < 1.8*moved.Zoom || near.Zoom > 2.2*moved.Zoom {
		b.Errorf("two fingers that part to twice as far change the zoom from %g to %g", moved.Zoom, near.Zoom)
	}
	b.touch(apart(120), apart(60))
	spot := evaluate[[]float64](b, `JSON.parse(window.footway.status()).spot || []`)
	if len(spot) != 2 {
		b.Fatal("no robot is where it can be tapped")
	}
	b.touch([]*input.TouchPoint{at(spot[0], spot[1])})
	b.until("a tapped robot is selected", func(s status) bool { return strings.HasPrefix(s.Selection, "robot/") })
	labels := evaluate[map[string][]float64](b, `JSON.parse(window.footway.status()).labels`)
	charts := labels["Charts"]
	if len(charts) != 2 {
		b.Fatalf("there is no button for charts among %v", labels)
	}
	b.touch([]*input.TouchPoint{at(charts[0], charts[1])})
	if l := view(); l.Panel != "charts" {
		b.Errorf("a tapped button opens %q, want the charts", l.Panel)
	}
	b.shot("win-web-tablet")
}

// again opens what the page tells of itself, as somebody would who got the link: the fork is made anew.
func (b *tab) again() {
	b.Helper()
	if b.status().Playing {
		b.key(" ", "Space", " ")
	}
	here := b.until("it stands", func(s status) bool { return !s.Playing && !s.Growing && len(s.Other) > 0 })
	address := evaluate[string](b, `location.origin + location.pathname`)
	other := openTab(b.T, address+"#"+here.Link, 1440, 900)
	there := other.until("the link shows the same instant of the same two runs, "+here.Link, func(s status) bool {
		return s.Runs == 2 && !s.Growing && s.After == here.After && maps.Equal(s.KPIs, here.KPIs) && maps.Equal(s.Other, here.Other)
	})
	other.shot("win-web-link")
	if there.Selection != here.Selection || there.Dark != here.Dark {
		b.Errorf("the link %s shows %q, dark %v; want %q, %v", here.Link, there.Selection, there.Dark, here.Selection, here.Dark)
	}
}

func (b *tab) clickRobot() {
	b.Helper()
	at := evaluate[[]float64](b, `JSON.parse(window.footway.status()).spot || []`)
	if len(at) != 2 {
		b.Fatal("no robot is where it can be clicked")
	}
	b.click(at[0], at[1])
	b.until("a robot is selected", func(s status) bool { return strings.HasPrefix(s.Selection, "robot/") })
}

// forks turns the policy to nearest, and runs on from the cursor.
func (b *tab) forks(before status) {
	b.Helper()
	b.key("3", "Digit3", "3")
	b.shot("win-web-tune")
	spot := func(name string) (x, y float64) {
		at := evaluate[[]float64](b, fmt.Sprintf(`JSON.parse(window.footway.status()).labels[%q] || []`, name))
		if len(at) != 2 {
			b.Fatalf("there is no control %q on the screen", name)
		}
		return at[0], at[1]
	}
	b.click(spot("nearest"))
	b.click(spot("From here"))
	b.until("a new run grows", func(s status) bool { return s.Runs == 2 })
	b.shot("win-web-growing")
	after := b.until("the new run is complete", func(s status) bool { return !s.Growing && len(s.Other) > 0 })
	name := "click_to_door_mean"
	if after.KPIs[name] == 0 || after.KPIs[name] == after.Other[name] {
		b.Errorf("%s is %v in the run, and %v in its fork under the policy nearest; want another", name, after.KPIs[name], after.Other[name])
	}
	b.Logf("%s: %.0f s, forked %.0f s", name, after.KPIs[name], after.Other[name])
	b.key("4", "Digit4", "4")
	b.shot("win-web-compare")
}
