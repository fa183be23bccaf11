package recording

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
)

// day is a small recording: minute, method, path and body of each request.
func day(t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, r := range []struct {
		minute             int
		method, path, body string
	}{
		{0, "POST", "/developer/v1/businesses/cafe/stores", `{"external_store_id": "quay"}`},
		{5, "POST", "/drive/v2/quotes", `{"external_delivery_id": "a", "pickup_external_business_id": "cafe", "pickup_external_store_id": "quay"}`},
		{5, "POST", "/drive/v2/quotes", `{"external_delivery_id": "a", "pickup_external_business_id": "cafe", "pickup_external_store_id": "quay"}`},
		{6, "POST", "/drive/v2/quotes", `{"external_delivery_id": "a"}`},
		{7, "POST", "/drive/v2/quotes/a/accept", ``},
		{7, "POST", "/drive/v2/quotes/a/accept", ``},
		{8, "PUT", "/drive/v2/deliveries/a/cancel", `{}`},
		{9, "POST", "/drive/v2/quotes", `{"external_delivery_id": "b", "pickup_external_business_id": "cafe", "pickup_external_store_id": "pier"}`},
		{9, "POST", "/drive/v2/quotes/zz/accept", ``},
		{10, "POST", "/drive/v2/quotes", `{"dropoff_address": "x"}`},
		{130, "POST", "/drive/v2/deliveries", `{"external_delivery_id": "c"}`},
		{131, "GET", "/drive/v2/deliveries/c", ``},
		{132, "POST", "/drive/v2/deliveries", `[]`},
	} {
		body := ""
		if r.body != "" {
			body = `, "body": ` + r.body
		}
		at := clock.Time(1781262000000).Add(clock.Duration(r.minute) * clock.Minute)
		lines = append(lines, fmt.Sprintf(`{"at": "%v", "partner": "acme", "method": %q, "path": %q%s}`, at, r.method, r.path, body))
	}
	return append(lines, strings.Replace(strings.Replace(line3, "11:00:01", "13:20:00", 1), `"acme"`, `"other"`, 1))
}

func TestInspect(t *testing.T) {
	got, err := Inspect(NewReader(strings.NewReader(strings.Join(day(t), "\n"))))
	if err != nil {
		t.Fatal(err)
	}
	hour := clock.Time(1781262000000)
	want := &Report{
		Requests: 14, First: hour, Last: hour.Add(140 * clock.Minute), Partners: []Count{{"acme", 13}, {"other", 1}},
		Operations: []Count{{opQuote, 6}, {opAccept, 3}, {opCreate, 2}, {"GET /drive/v2/deliveries/{}", 1}, {opCreateStore, 1}, {opCancel, 1}},
		Deliveries: 3, Accepted: 2, Cancelled: 1, Stores: 1, Repeats: 1, Conflicts: 1, Malformed: 2, NoID: 1, UnknownIDs: 1,
		UnknownStores: []Count{{"acme/cafe/pier", 1}}, Hours: []Hour{{hour, 2}, {hour.Add(clock.Hour), 0}, {hour.Add(2 * clock.Hour), 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Inspect (-want +got)\n%s", diff)
	}
	if got.AcceptShare() != 666 || got.CancelShare() != 500 {
		t.Errorf("accepted %d, cancelled %d permille; want 666 and 500", got.AcceptShare(), got.CancelShare())
	}
	empty, err := Inspect(NewReader(strings.NewReader("")))
	if err != nil || empty.Requests != 0 || empty.AcceptShare() != 0 {
		t.Errorf("an empty recording: %+v, error %v", empty, err)
	}
}

func TestReplay(t *testing.T) {
	requests, err := Read(strings.NewReader(strings.Join(day(t), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	answer := func(_ context.Context, r Request) (Answer, error) {
		switch {
		case r.Method == http.MethodGet:
			return Answer{}, errors.New("disk on fire")
		case strings.Contains(string(r.Body), "dropoff"):
			return Answer{Status: 400, Operation: "quote", Body: []byte(`{"code": "validation_error", "field_errors": [{"field": "a"}, {"field": "b"}, {"field": "c"}, {"field": "d"}]}`)}, nil
		case strings.Contains(r.Path, "accept"):
			return Answer{Status: 409, Operation: "accept", Body: []byte(`{"code": "update_not_allowed", "reason": "quote_expired"}`)}, nil
		case r.Partner == "other":
			return Answer{Status: 502, Body: []byte("<html>")}, nil
		}
		return Answer{Status: 200, Operation: "quote"}, nil
	}
	replay := NewReplay(requests, answer)
	for i := 0; ; i++ {
		at, ok := replay.Next(i)
		if !ok {
			break
		}
		if at != requests[i].At {
			t.Errorf("request %d at %v, want %v", i, at, requests[i].At)
		}
		err := replay.Send(t.Context(), i)
		if failed := requests[i].Method == http.MethodGet; failed != (err != nil) || failed && !strings.Contains(err.Error(), fmt.Sprintf("line %d: GET", i+1)) {
			t.Errorf("request %d: %v", i, err)
		}
		if i == 6 { // as a checkpoint does
			snapshot, err := replay.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			replay = NewReplay(requests, answer)
			if err := replay.Restore(snapshot); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, i := range []int{-1, len(requests)} {
		if _, ok := replay.Next(i); ok || replay.Send(t.Context(), i) == nil {
			t.Errorf("there is a request %d of %d", i, len(requests))
		}
	}
	var text strings.Builder
	if err := replay.Summary().WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `answers to partners    status  count  first line  
POST /drive/v2/quotes  502     1      14          not_json
accept                 409     3      5           update_not_allowed: quote_expired
quote                  200     8      1           
quote                  400     1      10          validation_error: a b c
all                            13                 
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("summary (-want +got)\n%s", diff)
	}
}
