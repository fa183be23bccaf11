package kit_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"footway/adapters/pages/kit"
)

// serve answers a request as a protected handler does, and returns what was logged, too.
func serve(h http.HandlerFunc, r *http.Request) (*httptest.ResponseRecorder, string) {
	var log bytes.Buffer
	w := httptest.NewRecorder()
	kit.Protect(h, kit.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), MaxBody: 10}).ServeHTTP(w, r)
	return w, log.String()
}

func TestPanicsAreAnsweredAndLogged(t *testing.T) {
	w, log := serve(func(http.ResponseWriter, *http.Request) { panic("no such day") }, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "try again") || strings.Contains(w.Body.String(), "no such day") {
		t.Errorf("a panic is answered by %d %q; want 500, and nothing of the panic", w.Code, w.Body)
	}
	for _, want := range []string{"level=ERROR", "no such day", "kit_test.go"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
}

func TestHalfAPageIsCutOff(t *testing.T) {
	defer func() {
		p := recover()
		if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("a panic behind half a page became %v; want %v", p, http.ErrAbortHandler)
		}
	}()
	w, _ := serve(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic("x")
	}, httptest.NewRequest(http.MethodGet, "/", nil))
	t.Errorf("it was answered by %d %q", w.Code, w.Body)
}

func TestWhatIsRefused(t *testing.T) {
	read := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		}
	}
	for _, c := range []struct {
		name, body, site string
		want             int
	}{
		{"a form of ours", "a=1", "same-origin", http.StatusOK},
		{"a form of another site", "a=1", "cross-site", http.StatusForbidden},
		{"a form of another host of ours", "a=1", "same-site", http.StatusForbidden},
		{"a body that is too long", "a=123456789", "same-origin", http.StatusRequestEntityTooLarge},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Sec-Fetch-Site", c.site)
		w, _ := serve(read, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
		if rules := w.Header().Get("Content-Security-Policy"); !strings.Contains(rules, "default-src 'none'") || strings.Contains(rules, "unsafe") {
			t.Errorf("%s: the policy is %q", c.name, rules)
		}
	}
}
