package web_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"footway/cmd/web"
)

// built stands for what make twin-wasm builds.
func built(t *testing.T) fstest.MapFS {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, "\x00asm"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"footway.wasm.gz": {Data: b.Bytes()}, "footway.wasm.br": {Data: []byte("smaller")}, "wasm_exec.js": {Data: []byte("class Go {}")},
	}
}

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	h := web.New(web.Options{Built: built(t)})
	w := get(t, h, "/twin")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "/twin/page.js") {
		t.Fatalf("/twin: %d\n%s", w.Code, w.Body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "'wasm-unsafe-eval'") || strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "'unsafe-eval'") {
		t.Errorf("Content-Security-Policy: %s", policy)
	}
	for _, bad := range []string{"http://", "https://", "<style", "onload", "<script>"} {
		if strings.Contains(w.Body.String(), bad) {
			t.Errorf("the page has %q, which its policy forbids", bad)
		}
	}
	// Everything that the page names is there.
	for part := range strings.SplitSeq(w.Body.String(), `"`) {
		if strings.HasPrefix(part, "/twin/") {
			if got := get(t, h, part, "Accept-Encoding", "gzip"); got.Code != http.StatusOK || got.Header().Get("Content-Type") == "" {
				t.Errorf("%s: %d %q", part, got.Code, got.Header().Get("Content-Type"))
			}
		}
	}
	for _, path := range []string{"/twin/web.go", "/twin/footway.wasm.gz", "/twin/..%2fweb.go", "/twin/index.html/x", "/twin/market.fwnet"} {
		if got := get(t, h, path); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got.Code)
		}
	}
	if got := get(t, h, "/twin/"); got.Code != http.StatusPermanentRedirect || got.Header().Get("Location") != "/twin" {
		t.Errorf("/twin/: %d to %q, want the page", got.Code, got.Header().Get("Location"))
	}
}

func TestProgram(t *testing.T) {
	h := web.New(web.Options{Built: built(t)})
	for _, tt := range []struct{ accept, coding, body string }{
		{"gzip, deflate, br", "br", "smaller"},
		{"br;q=0, gzip", "gzip", ""},
		{"", "", "\x00asm"},
	} {
		w := get(t, h, "/twin/footway.wasm", "Accept-Encoding", tt.accept)
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != tt.coding || w.Header().Get("Content-Type") != "application/wasm" || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: %d %v", tt.accept, w.Code, w.Header())
		}
		if tt.body != "" && w.Body.String() != tt.body {
			t.Errorf("Accept-Encoding %q: body %q, want %q", tt.accept, w.Body, tt.body)
		}
	}
	first := get(t, h, "/twin/footway.wasm", "Accept-Encoding", "br")
	again := get(t, h, "/twin/footway.wasm", "Accept-Encoding", "br", "If-None-Match", first.Header().Get("ETag"))
	if first.Header().Get("ETag") == "" || again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("what the browser has already: %d, %d bytes; want 304", again.Code, again.Body.Len())
	}
}

func TestWithoutProgram(t *testing.T) {
	h := web.New(web.Options{Built: fstest.MapFS{}})
	w := get(t, h, "/twin")
	if h.Built() || w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %q, want 501 and what to build", w.Code, w.Body)
	}
	if got := get(t, h, "/twin/footway.wasm"); got.Code != http.StatusNotFound || got.Header().Get("Content-Encoding") != "" {
		t.Errorf("the program: %d %v, want 404", got.Code, got.Header())
	}
}

// TestProgramThatIsBeingBuilt asks before, while and after the program is built in a folder.
func TestProgramThatIsBeingBuilt(t *testing.T) {
	folder := t.TempDir()
	h := web.New(web.Options{Built: os.DirFS(folder), Coming: true})
	if w := get(t, h, "/twin"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "being built") || get(t, h, "/twin/coming.js").Code != http.StatusOK {
		t.Errorf("before: %d %v %q, want 503 and to be asked again", w.Code, w.Header(), w.Body)
	}
	var tags []string
	for _, text := range []string{"one", "another"} {
		for _, name := range []string{"wasm_exec.js", "footway.wasm.br", "footway.wasm.gz"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			at := time.Unix(int64(1e9+len(tags)), 0)
			if err := os.Chtimes(filepath.Join(folder, name), at, at); err != nil {
				t.Fatal(err)
			}
		}
		if w := get(t, h, "/twin"); w.Code != http.StatusOK || !h.Built() {
			t.Errorf("built: %d", w.Code)
		}
		w := get(t, h, "/twin/footway.wasm", "Accept-Encoding", "br")
		if w.Body.String() != text {
			t.Errorf("the program is %q, want %q", w.Body, text)
		}
		tags = append(tags, w.Header().Get("ETag"))
	}
	if tags[0] == tags[1] {
		t.Errorf("what was built again has the tag %s of what was there before", tags[0])
	}
}

func TestMarket(t *testing.T) {
	var trouble error
	h := web.New(web.Options{Built: built(t), Log: slog.New(slog.DiscardHandler), Market: func() ([]byte, error) { return []byte("a map"), trouble }})
	if w := get(t, h, "/twin/market.fwnet"); w.Code != http.StatusOK || w.Body.String() != "a map" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	trouble = errors.New("the database at 10.0.0.7 is gone")
	if w := get(t, h, "/twin/market.fwnet"); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("%d %q, want 500 and no more", w.Code, w.Body)
	}
}
