package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"footway/adapters/configfile"
	"footway/adapters/wallclock"
	"footway/cmd/stores"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/fault"
)

// TestConfigInBucket checks, shows and compares configurations in a store that speaks S3.
func TestConfigInBucket(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "planted", "AWS_REGION": "us-west-2", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	backend := s3mem.New()
	store := httptest.NewServer(gofakes3.New(backend).Server())
	defer store.Close()
	if err := backend.CreateBucket("acme"); err != nil {
		t.Fatal(err)
	}
	for key, text := range map[string]string{
		"good.yaml": "version: 7\ndefaults: {dispatch: {round_every: 20s}}\n", "next.yaml": "version: 8\n", "wrong.yaml": "version: 7\nmarket: {}\n", "large.yaml": strings.Repeat("#", 2<<20),
	} {
		if _, err := backend.PutObject("acme", key, nil, strings.NewReader(text), int64(len(text)), nil); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		args string
		code int
		want string // in what is written
	}{
		{"check s3://acme/good.yaml", exitOK, "s3://acme/good.yaml: version 7, nothing wrong"},
		{"show s3://acme/good.yaml --changed", exitOK, "* dispatch.round_every  20s"},
		{"diff s3://acme/good.yaml s3://acme/next.yaml", exitFailed, "version 7 -> version 8\ndefaults.dispatch.round_every: 20s -> "},
		{"check s3://acme/wrong.yaml", exitUsage, "footway: s3://acme/wrong.yaml:2:1: market: no such key; did you mean markets?"},
		{"check s3://acme/none.yaml", exitUsage, "footway: s3://acme/none.yaml: there is no such object in the bucket; want the key of one"},
		{"check s3://none/good.yaml", exitUsage, "footway: s3://none/good.yaml: there is no such bucket; want the name of one"},
		{"check s3://acme/large.yaml", exitUsage, "the object has more than 1024 KiB; want at most that"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var out bytes.Buffer
			args := append([]string{"config"}, strings.Fields(tt.args)...)
			code := run(t.Context(), append(args, "--endpoint", store.URL, "--path-style"), &out, &out)
			if code != tt.code || !strings.Contains(out.String(), tt.want) || strings.Contains(out.String(), "planted") {
				t.Errorf("exit %d, want %d:\n%swant %s", code, tt.code, &out, tt.want)
			}
		})
	}
}

// TestConfigFollowed follows a file as a service does: a mistake is named with its
// place, and a restart goes on with the copy that was kept.
func TestConfigFollowed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "footway.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	from := config.Following{Document: configfile.New(path), Parse: stores.ParseConfig, Clock: wallclock.Clock{}, Keeper: configfile.New(filepath.Join(dir, "kept.yaml"))}
	write("version: 7\ndefaults: {dispatch: {round_every: 20s}}\n")
	f, err := config.Follow(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	write("version: 8\ndefaults: {dispatch: {round_evry: 20s}}\n")
	if err := f.Refresh(t.Context()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), path+":2:23: defaults.dispatch.round_evry: no such key; did you mean round_every?") {
		t.Errorf("Refresh = %v, want where the mistake is", err)
	}
	for name, now := range map[string]func() (*config.Follower, error){
		"running":   func() (*config.Follower, error) { return f, nil },
		"restarted": func() (*config.Follower, error) { return config.Follow(t.Context(), from) },
	} {
		f, err := now()
		if err != nil {
			t.Fatal(err)
		}
		if s, v := f.Get("wedgwood"); v != 7 || s.Dispatch.RoundEvery != 20*clock.Second || f.Status().Err == nil {
			t.Errorf("%s: version %d with %v, status %+v; want still version 7, and why", name, v, s.Dispatch.RoundEvery, f.Status())
		}
	}
	write("version: 8\n")
	if err := f.Refresh(t.Context()); err != nil || f.Status().Version != 8 {
		t.Errorf("put right: Refresh = %v, status %+v", err, f.Status())
	}
}
