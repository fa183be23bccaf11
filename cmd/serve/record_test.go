package serve_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"footway/adapters/recording"
	"footway/cmd/stores"
)

// TestRecording: what partners ask is written down, and reads like any recording.
func TestRecording(t *testing.T) {
	in := install(t)
	in.d.Integrations.Record = filepath.Join(t.TempDir(), "recordings")
	for _, name := range stores.ServiceNames {
		in.d.Services.Of(name).Listen = "127.0.0.1:0"
	}
	r := in.start(in.d, stores.ServiceNames...)
	door := r.at["integrations"].String()
	for _, id := range []string{"one", "two", "three"} {
		in.ask("POST", door, "/drive/v2/quotes", in.order(id))
	}
	in.ask("GET", door, "/drive/v2/deliveries/none", nil)
	r.end(t)
	files, err := filepath.Glob(filepath.Join(in.d.Integrations.Record, "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings: %q, %v; want one", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the recording: %v, %v", info.Mode(), err)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := recording.Read(f)
	if err != nil || len(all) != 4 {
		t.Fatalf("the recording has %d requests, %v; want 4", len(all), err)
	}
	if q := all[0]; q.Partner != "acme" || q.Method != http.MethodPost || q.Path != "/drive/v2/quotes" || q.Headers["Authorization"] != "" || len(q.Body) == 0 || q.At == 0 {
		t.Errorf("the first request was recorded as %+v", q)
	}
}
