package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"footway/adapters/report"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/kpi"
	"footway/core/kpi/kpitest"
	"footway/core/runlog"
)

var out = flag.String("out", "", "write the page of the made-up day to this file, to be looked at")

func run(t *testing.T, events []event.Event) *kpi.Run {
	t.Helper()
	c := kpi.NewCollector()
	for _, e := range events {
		c.Observe(e)
	}
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	return c.Run()
}

func day() kpitest.Day {
	return kpitest.Day{Seed: 3, Robots: 26, Orders: 520, Over: 8 * clock.Hour}
}

func made(t *testing.T, r *kpi.Run) report.Report {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return report.Report{
		Scenario: "lunch-rush", About: "A Friday in early summer: offices order lunch within ninety minutes, and two kitchens fall behind.",
		Seed: 3, Market: "wedgwood", Version: "test", Command: "footway run scenarios/lunch-rush.yaml --seed 3", Wall: 1234 * time.Millisecond,
		Zone: zone, Run: r, Hash: runlog.Hash{0x5e, 0xed, 0x0f, 0x1a, 31: 7},
		Outcomes: []report.Outcome{
			{Name: "undelivered_share at most 2%", Met: true, Detail: "0.9%"},
			{Name: "on_time_share at least 95%", Met: false, Detail: "89.1%"},
			{Name: "o17 ends delivered <b>&", Met: true, Detail: "delivered"},
		},
		Map: report.Picture{Type: "image/svg+xml", Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 2"/>`), Attribution: "© OpenStreetMap contributors"},
	}
}

func write(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageIsWholeAndAlone(t *testing.T) {
	page := write(t, made(t, run(t, day().Events())))
	if *out != "" {
		if err := os.WriteFile(*out, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"lunch-rush", "footway run scenarios/lunch-rush.yaml --seed 3", "2 of 3 met", "o17 ends delivered &lt;b&gt;&amp;",
		"What robots were doing", "Deliveries over time", "Open deliveries", "Click to door", "Promises kept", "Quote error", "Charge of the fleet",
		"Where the time goes", "What went worst", "© OpenStreetMap contributors", ";base64,PHN2Z", "prefers-color-scheme: dark",
		"<code>click_to_door_p90</code>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if m := regexp.MustCompile(`(?i)(src|href)="?(https?:)?//[^"]*|@import|<script`).FindString(page); m != "" {
		t.Errorf("the page needs something else: %s", m)
	}
	if m := regexp.MustCompile(`#01FE[0-9A-F]{2}|ZgotmplZ|NaN|Inf\b`).FindString(page); m != "" {
		t.Errorf("the page has %q in it", m)
	}
	if len(page) > 2<<20 {
		t.Errorf("the page has %d bytes, want at most 2 MiB", len(page))
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	page := write(t, made(t, run(t, day().Events())))
	plots := regexp.MustCompile(`(?s)<svg class="(wide|narrow)".*?</svg>`).FindAllString(page, -1)
	if len(plots) != 14 {
		t.Fatalf("%d plots, want 7 in two sizes", len(plots))
	}
	for _, svg := range plots {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%.120s…: %v", svg, err)
			}
		}
		if !strings.Contains(svg, "var(--") || !strings.Contains(svg, "<text") {
			t.Errorf("%.120s…: want colours of the theme and marks on the axes", svg)
		}
	}
}

func TestSameRunSamePage(t *testing.T) {
	events := day().Events()
	first := write(t, made(t, run(t, events)))
	if again := write(t, made(t, run(t, events))); again != first {
		t.Error("two pages of one run differ")
	}
}

// TestOddRuns writes pages of runs in which something is missing.
func TestOddRuns(t *testing.T) {
	whole := day().Events()
	short := kpitest.Day{Seed: 3, Robots: 1, Orders: 1, Over: clock.Minute}.Events()
	for name, events := range map[string][]event.Event{
		"nothing": nil, "only the beginning": whole[:1], "no delivery ended": whole[:15], "one order": short,
	} {
		page := write(t, report.Report{Scenario: name, Run: run(t, events)})
		if m := regexp.MustCompile(`ZgotmplZ|NaN|[+-]Inf`).FindString(page); m != "" || !strings.Contains(page, "</html>") {
			t.Errorf("%s: the page has %q in it, or no end", name, m)
		}
	}
	if err := report.Write(io.Discard, report.Report{}); err == nil {
		t.Error("a report without a run: no error")
	}
}
