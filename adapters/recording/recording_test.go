package recording

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/fault"
)

const (
	line1 = `{"at": "2026-06-12T11:00:00.000Z", "partner": "acme", "method": "POST", "path": "/drive/v2/quotes", "headers": {"content-type": "application/json"}, "body": {"external_delivery_id": "D-1"}}`
	line2 = `{"at": "2026-06-12T13:00:00.500+02:00", "partner": "acme", "method": "GET", "path": "/drive/v2/deliveries/D-1?a=b"}`
	line3 = `{"at": "2026-06-12T11:00:01Z", "partner": "acme", "method": "POST", "path": "/drive/v2/quotes", "body_raw": "{\"cut"}`
)

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(line1 + "\r\n\n" + line2 + "\n" + line3))
	if err != nil {
		t.Fatal(err)
	}
	want := []Request{
		{At: 1781262000000, Partner: "acme", Method: "POST", Path: "/drive/v2/quotes", Headers: map[string]string{"content-type": "application/json"}, Body: []byte(`{"external_delivery_id": "D-1"}`), Line: 1},
		{At: 1781262000500, Partner: "acme", Method: "GET", Path: "/drive/v2/deliveries/D-1?a=b", Line: 3},
		{At: 1781262001000, Partner: "acme", Method: "POST", Path: "/drive/v2/quotes", Body: []byte(`{"cut`), Line: 4},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Read (-want +got)\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	with := func(old, fresh string) string { return line1 + "\n" + strings.Replace(line1, old, fresh, 1) }
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":        {line1 + "\nnonsense", "line 2: "},
		"an array":        {line1 + "\n[]", "line 2: "},
		"two values":      {line1 + "\n" + line1 + line1, "line 2: more than one JSON value"},
		"unknown key":     {with(`"body"`, `"boby"`), `line 2: unknown field "boby"; want an object with at`},
		"no time":         {with("2026-06-12T11:00:00.000Z", "noon"), `line 2: at: "noon" is no time`},
		"no partner":      {with(`"acme"`, `""`), "line 2: partner"},
		"no method":       {with(`"POST"`, `"post it"`), "line 2: method"},
		"no path":         {with(`"/drive`, `"drive`), "line 2: path"},
		"two bodies":      {with(`"body"`, `"body_raw": "", "body"`), "line 2: both body and body_raw"},
		"disorder":        {line3 + "\n\n" + line1, "line 3: at 2026-06-12T11:00:00.000Z is before line 1 at 2026-06-12T11:00:01.000Z"},
		"line too long":   {line1 + "\n" + strings.Repeat(" ", MaxLine) + line1, "line 2: longer than"},
		"headers no text": {with(`"application/json"`, "5"), "line 2: "},
	} {
		got, err := Read(strings.NewReader(c.text))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d requests, error %v; want an invalid one with %q", name, len(got), err, c.want)
		}
	}
}

// broken is a file that fails after its text.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("disk on fire")
	}
	return n, err
}

func TestReadBrokenFile(t *testing.T) {
	if got, err := Read(broken{strings.NewReader(line1 + "\n" + line3[:50])}); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("%d requests, error %v; want the disk's", len(got), err)
	}
}

// TestReadLimits reads recordings that are too long to be read whole, and inspects them all the same.
func TestReadLimits(t *testing.T) {
	for name, filler := range map[string]string{
		"lines": strings.Repeat("\n", MaxLines),
		"bytes": strings.Repeat(strings.Repeat(" ", MaxLine-1)+"\n", MaxBytes/MaxLine),
	} {
		text := filler + line1
		if _, err := Read(strings.NewReader(text)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "want it cut into several") {
			t.Errorf("too many %s: error %v", name, err)
		}
		if got, err := Read(strings.NewReader(filler)); err != nil || len(got) != 0 {
			t.Errorf("just as many %s as there may be: %d requests, error %v", name, len(got), err)
		}
		if got, err := Inspect(NewReader(strings.NewReader(text))); err != nil || got.Requests != 1 {
			t.Errorf("too many %s to inspect: %+v, error %v", name, got, err)
		}
	}
}

func TestReadSorted(t *testing.T) {
	got, err := ReadSorted(strings.NewReader(line3 + "\n" + line2 + "\n" + line1 + "\n" + line2))
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, r := range got {
		lines = append(lines, r.Line)
	}
	if diff := cmp.Diff([]int{3, 2, 4, 1}, lines); diff != "" {
		t.Errorf("lines in order of time, equal times as they stand (-want +got)\n%s", diff)
	}
}

func TestWrite(t *testing.T) {
	want, err := Read(strings.NewReader(line1 + "\n" + line2 + "\n" + line3))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w := NewWriter(&file)
	for _, r := range want {
		r.Headers = map[string]string{"content-type": "<json>", "Authorization": "Bearer x", "x-api-key": "x", "Cookie": "x", "x-doordash-signature": "x"}
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Contains(file.Bytes(), []byte("Bearer")) || bytes.Contains(file.Bytes(), []byte(`"x"`)) || !bytes.Contains(file.Bytes(), []byte("<json>")) {
		t.Errorf("headers: %s", file.Bytes())
	}
	got, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Headers, want[i].Headers = nil, nil
		want[i].Line = i + 1
		want[i].Body, got[i].Body = bytes.ReplaceAll(want[i].Body, []byte(" "), nil), bytes.ReplaceAll(got[i].Body, []byte(" "), nil)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written and read again (-want +got)\n%s", diff)
	}
	if err := w.Write(Request{Partner: "p", Method: "GET", Path: "/", Body: bytes.Repeat([]byte("x"), MaxLine)}); err == nil {
		t.Error("a line was written that cannot be read")
	}
}

// FuzzRead reads anything: it must end in an error that names a line, or in
// requests that can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(line1 + "\n" + line2 + "\n" + line3))
	f.Add([]byte(strings.Replace(line3, "{\\\"cut", `{\\\"dropoff_phone_number\\\": \\\"+1206`, 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		requests, err := Read(bytes.NewReader(text))
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "line ") {
				t.Fatalf("error %v names no line", err)
			}
			return
		}
		var copied, scrubbed bytes.Buffer
		w := NewWriter(&copied)
		for _, r := range requests {
			if err := w.Write(r); err != nil {
				return // too long, once escaped
			}
		}
		again, err := Read(&copied)
		if err != nil || len(again) != len(requests) {
			t.Fatalf("%d requests became %d, error %v", len(requests), len(again), err)
		}
		if _, err := Inspect(NewReader(bytes.NewReader(text))); err != nil {
			t.Fatal(err)
		}
		n, err := Scrub(NewWriter(&scrubbed), NewReader(bytes.NewReader(text)), 1, ScrubOptions{})
		if err != nil {
			return // too long, once scrubbed
		}
		if again, err := Read(&scrubbed); err != nil || len(again) != n {
			t.Fatalf("%d scrubbed requests became %d, error %v", n, len(again), err)
		}
	})
}
