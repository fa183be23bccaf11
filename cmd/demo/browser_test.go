package demo_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"footway/adapters/backends"
)

// browser starts a browser without a screen, until the test ends.
func browser(t testing.TB) context.Context {
	t.Helper()
	path := backends.Program(t, backends.Browser...)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("use-gl", "angle"), chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true))
	all, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, done := chromedp.NewContext(all)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("the browser did not end in order: %v", err)
		}
		done()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// apart returns a browser with cookies of its own, beside others.
func apart(chrome context.Context, t testing.TB) context.Context {
	t.Helper()
	ctx, done := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext())
	t.Cleanup(done)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a browser of its own: %v", err)
	}
	return ctx
}

// tab opens a page of its own, and fails the test when its scripts do.
func tab(in context.Context, t testing.TB, dark bool, width int64) context.Context {
	t.Helper()
	ctx, done := chromedp.NewContext(in)
	t.Cleanup(done)
	do(ctx, t, chromedp.EmulateViewport(width, 844), colours(dark))
	err := chromedp.Listen(ctx, func(e any) {
		if thrown, ok := e.(*runtime.EventExceptionThrown); ok {
			t.Errorf("a script failed: %+v", thrown.ExceptionDetails)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// colours has the device wish for dark or light pages.
func colours(dark bool) step {
	theme := "light"
	if dark {
		theme = "dark"
	}
	look := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
	return chromedp.Func(func(ctx context.Context, to *chromedp.Target) error {
		_, err := cdp.Call(ctx, to, emulation.SetEmulatedMedia, look)
		return err
	})
}

type step = chromedp.Action[chromedp.Void]

// do takes steps, each within a generous time.
func do(ctx context.Context, t testing.TB, steps ...step) {
	t.Helper()
	for i, s := range steps {
		if _, err := run(ctx, t, s); err != nil {
			at, _ := chromedp.Run(ctx, chromedp.Location()) // for the message only
			text, _ := chromedp.Run(ctx, text("body"))
			t.Fatalf("step %d: %v, at %s, which shows:\n%s", i+1, err, at, text)
		}
	}
}

// read returns what an action finds.
func read[T any](ctx context.Context, t testing.TB, a chromedp.Action[T]) T {
	t.Helper()
	got, err := run(ctx, t, a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func run[T any](ctx context.Context, t testing.TB, a chromedp.Action[T]) (T, error) {
	t.Helper()
	if chromedp.FromContext(ctx) == nil || chromedp.FromContext(ctx).Target == nil {
		return chromedp.Run(ctx, a) // the first call opens the tab, which lives as long as its context
	}
	within, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	return chromedp.Run(within, a)
}

// see waits until a selector is on the page.
func see(selector string) step { return chromedp.WaitVisible(chromedp.CSS(selector)) }

// click clicks on what a selector finds once it is there, and nothing lies above it. Robots come and go at
// the top of every page, so what is looked at and what is clicked on must be one.
func click(selector string) step {
	aim := chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (!e || e.disabled) return false;
		e.scrollIntoView({block: 'center', behavior: 'instant'});
		const at = e.getBoundingClientRect(), hit = document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2);
		if (!hit || !e.contains(hit) && ![...(e.labels ?? [])].some((l) => l.contains(hit))) return false;
		e.click();
		return true;
	})()`, selector))
	return func(ctx context.Context, to *chromedp.Target) (chromedp.Void, error) {
		for {
			if hit, err := aim(ctx, to); hit || err != nil {
				return chromedp.Void{}, err
			}
			select {
			case <-ctx.Done():
				return chromedp.Void{}, fmt.Errorf("click on %s: %w", selector, ctx.Err())
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

func text(selector string) chromedp.Action[string] { return chromedp.Text(chromedp.CSS(selector)) }

// axeVersion is the axe-core that looks for barriers.
const axeVersion = "4.10.3"

// axe returns axe-core's script, which npm brings once.
func axe(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".cache", "axe-core-"+axeVersion))
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "package", "axe.min.js")
	if _, err := os.Stat(script); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		pack := exec.CommandContext(t.Context(), backends.Program(t, "npm"), "pack", "--silent", "axe-core@"+axeVersion)
		pack.Dir = dir
		if out, err := pack.CombinedOutput(); err != nil {
			t.Fatalf("npm pack axe-core: %v: %s", err, out)
		}
		if out, err := exec.CommandContext(t.Context(), "tar", "xzf", filepath.Join(dir, "axe-core-"+axeVersion+".tgz"), "-C", dir).CombinedOutput(); err != nil {
			t.Fatalf("unpack axe-core: %v: %s", err, out)
		}
	}
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// barriers fails the test for each serious barrier that axe finds on the page.
func barriers(ctx context.Context, t testing.TB, where string) {
	t.Helper()
	do(ctx, t, chromedp.Evaluate[chromedp.Void](axe(t)))
	found := read(ctx, t, chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ['violations']}).then(r =>
		r.violations.filter(v => ['serious', 'critical'].includes(v.impact))
		  .map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target + ' ' + n.failureSummary).join('; ')))`, chromedp.EvalAwaitPromise))
	for _, one := range found {
		t.Errorf("%s: %s", where, one)
	}
}

// shot keeps a picture of the page where somebody wants to look at it.
func shot(ctx context.Context, t testing.TB, name string) {
	t.Helper()
	dir := os.Getenv("FOOTWAY_SHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), read(ctx, t, chromedp.FullScreenshot(100)), 0o600); err != nil {
		t.Error(err)
	}
}

// wide fails the test if the page can be scrolled sideways.
func wide(ctx context.Context, t testing.TB, where string) {
	t.Helper()
	over := read(ctx, t, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	if over > 0 {
		t.Errorf("%s is %d px too wide", where, over)
	}
}

func phase(name string) string { return fmt.Sprintf(`[data-phase=%q]`, name) }
