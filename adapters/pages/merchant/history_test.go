package merchant

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"footway/core/account"
	"footway/core/clock"
	"footway/core/porttest/fake"
)

// TestCSV reads the table of the past as a spreadsheet would.
func TestCSV(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	var rows []any
	odd := []string{"=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\tx", "\rx", `quo"te`, "com,ma", "li\nne", "plain", "", "a=b"}
	for i, name := range odd {
		rows = append(rows, map[string]any{"id": fmt.Sprint("d", i), "external_id": name, "state": "delivered", "robot": name, "pickup": map[string]any{"store": "gull/quay"}, "fee_cents": 975, "currency": "USD",
			"promise": map[string]any{"dropoff_p90": after(10)}, "times": map[string]any{"quoted": after(-30), "requested": after(-30), "at_dropoff": after(10 + i), "ended": after(12 + i)}})
	}
	d.says("GET /v1/board", http.StatusOK, map[string]any{"deliveries": rows})
	a := b.get("/history.csv")
	d.wants("the table", a, http.StatusOK)
	if h := a.Header(); h.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment;") {
		t.Errorf("its headers are %v", h)
	}
	got, err := csv.NewReader(a.Body).ReadAll()
	if err != nil || len(got) != len(odd)+1 {
		t.Fatalf("%d rows, %v; want %d and a head", len(got), err, len(odd))
	}
	column := map[string]int{}
	for i, name := range got[0] {
		column[name] = i
	}
	for i, row := range got[1:] {
		for name, at := range column {
			if row[at] != "" && strings.ContainsRune("=+-@\t\r", rune(row[at][0])) {
				t.Errorf("row %d: %s is %q, which a spreadsheet takes for a formula", i, name, row[at])
			}
		}
		if strings.TrimPrefix(row[column["order"]], "'") != odd[i] {
			t.Errorf("row %d: the order is %q, want %q", i, row[column["order"]], odd[i])
		}
		late := ""
		if i > 0 {
			late = fmt.Sprint(i)
		}
		if row[column["minutes_late"]] != late || row[column["fee_cents"]] != "975" || row[column["ended_at"]] != after(12+i).Format(time.RFC3339) {
			t.Errorf("row %d is %v", i, row)
		}
	}
}

// TestHistory looks for orders of several days.
func TestHistory(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	first := d.clock.Now().Std().UTC()
	d.order("quay", "old-1")
	d.clock.Advance(26 * clock.Hour)
	second := d.clock.Now().Std().UTC()
	d.order("quay", "new-2")
	both := []string{"#old-1", "#new-2"}
	d.wants("all", b.get("/history"), http.StatusOK, append(both, dayTime(first, second), dayTime(second, second), "under way")...)
	if dayTime(first, second) == dayTime(second, second) || !strings.HasPrefix(dayTime(first, second), first.Format("Jan 2,")) {
		t.Errorf("the times are %s and %s", dayTime(first, second), dayTime(second, second))
	}
	for query, parts := range map[string][]string{
		"q=OLD": {"#old-1", "!#new-2"}, "q=none": {"No order like this."}, "state=delivered": {"No order like this."}, "state=open": both, "state=nonsense": both,
		"from=" + second.Format(time.DateOnly): {"#new-2", "!#old-1"}, "until=" + first.Format(time.DateOnly): {"#old-1", "!#new-2"}, "from=nonsense&until=%00": both,
		"from=9999-12-31": {"No order like this."},
	} {
		d.wants(query, b.get("/history?"+query), http.StatusOK, parts...)
		d.wants(query+", as a table", b.get("/history.csv?"+query), http.StatusOK, "order,id,store")
	}
	d.wants("what was searched for", b.get("/history?q=a%22b&from=2026-01-02&state=open"), http.StatusOK, `value="a&#34;b"`, `value="2026-01-02"`, `value="open" selected`, `/history.csv?from=2026-01-02&amp;q=a%22b&amp;state=open`)
}

// TestPastIsBounded has the API's past go on for ever.
func TestPastIsBounded(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	page := make([]any, 200)
	for i := range page {
		page[i] = map[string]any{"id": fmt.Sprint("d", i), "external_id": fmt.Sprint("n", i), "state": "delivered", "times": map[string]any{"quoted": fake.Start.Std()}}
	}
	d.says("GET /v1/board", http.StatusOK, map[string]any{"deliveries": page, "next": "more"})
	d.asked()
	d.wants("without end", b.get("/history?q=none"), http.StatusOK, "No order like this.", "The last 5,000 orders were searched")
	if n := len(d.asked()); n > pastLimit/200+3 {
		t.Errorf("the API is asked %d times", n)
	}
	d.wants("more than a page", b.get("/history"), http.StatusOK, "There are more.")
}

func FuzzHistoryQuery(f *testing.F) {
	d := newDesk(f, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	d.order("quay", "31")
	f.Add("q=31&state=open&from=2026-01-01&until=2026-02-30")
	f.Add("q=%&;=&from=-1")
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/history", "/history.csv", "/", "/new"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://footway.example/merchant"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.URL.RawQuery = query
			if a := b.send(r); a.Code != http.StatusOK {
				t.Errorf("%s?%q is answered with %d", path, query, a.Code)
			}
		}
	})
}
