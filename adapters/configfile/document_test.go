package configfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"footway/core/config"
	"footway/core/fault"
	"footway/core/porttest"
)

// hasty is a document that believes a file at once; its tests replace files by renames.
func hasty(path string) *Document { return &Document{path: path, settle: time.Nanosecond} }

func TestDocument(t *testing.T) {
	porttest.ConfigDocument(t, func(t *testing.T) porttest.ConfigPlace {
		path := filepath.Join(t.TempDir(), "footway.yaml")
		return porttest.ConfigPlace{
			Document: hasty(path),
			Put: func(text []byte) {
				if err := replace(path, text); err != nil {
					t.Fatal(err)
				}
			},
			Remove: func() {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
	porttest.ConfigKeeper(t, func(t *testing.T) config.Keeper { return hasty(filepath.Join(t.TempDir(), "kept.yaml")) })
}

// write writes a file in place.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDocumentHalfWritten wants the end of a text that is written in two halves, of which the first
// would be a good configuration too.
func TestDocumentHalfWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "footway.yaml")
	const half, whole = "version: 2\n", "version: 2\ndefaults: {}\n"
	write(t, path, half)
	written := make(chan error, 1)
	time.AfterFunc(settle/4, func() { written <- os.WriteFile(path, []byte(whole), 0o600) })
	text, tag, err := New(path).Fetch(t.Context(), "")
	if err != nil || string(text) != whole {
		t.Errorf("Fetch = %q, %v; want the whole text", text, err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), settle/10)
	defer cancel()
	if text, again, err := New(path).Fetch(ctx, tag); text != nil || again != tag || err != nil {
		t.Errorf("Fetch(its tag) = %q, %q, %v; want to know at once that nothing changed", text, again, err)
	}
	write(t, path, half)
	if _, _, err := New(path).Fetch(ctx, tag); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), path+": it was changed less than 200ms ago, and may be half written") {
		t.Errorf("Fetch of a fresh file without time = %v, want fault.Unavailable and why", err)
	}
}

// TestDocumentFromTheFuture wants a file to be read whose time is wrong, as on a server with another clock.
func TestDocumentFromTheFuture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "footway.yaml")
	write(t, path, "version: 1")
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, future, future); err != nil {
		t.Fatal(err)
	}
	if text, _, err := New(path).Fetch(t.Context(), ""); err != nil || string(text) != "version: 1" {
		t.Errorf("Fetch = %q, %v", text, err)
	}
}

func TestDocumentMistakes(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "x")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "large"), strings.Repeat("#", config.MaxBytes+1))
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path, want string
		kind       fault.Kind
	}{
		{"no.yaml", "there is no such file", fault.NotFound},
		{"no/no.yaml", "there is no such file, and no folder " + dir + "/no", fault.NotFound},
		{"file/no.yaml", dir + "/file is no folder", fault.NotFound},
		{"", "this is a folder; want the path of a file in it", fault.Invalid},
		{"pipe", "this is no file; want the path of a text file", fault.Invalid},
		{"large", "more than 1024 KiB; want at most that", fault.Invalid},
		{"loop", "too many levels of symbolic links", fault.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			path := filepath.Join(dir, tt.path)
			_, _, err := New(path).Fetch(t.Context(), "")
			if want := "configfile.Fetch: " + path + ": " + tt.want; fmt.Sprint(err) != want || !fault.Is(err, tt.kind) {
				t.Errorf("Fetch = %v\nwant %s", err, want)
			}
		})
	}
	t.Run("permission", func(t *testing.T) { // an administrator, as who tests may run, may read everything
		err := translate("op", "f.yaml", &fs.PathError{Op: "open", Path: "f.yaml", Err: syscall.EACCES})
		if !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "f.yaml: this process (user ") {
			t.Errorf("translate(permission) = %v, want fault.Forbidden and which user", err)
		}
	})
}

// TestDocumentLink turns a link to another folder, as clusters do with mounted configurations.
func TestDocumentLink(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"1", "2"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, v, "footway.yaml"), "version: "+v)
	}
	link := filepath.Join(dir, "now")
	d := hasty(filepath.Join(link, "footway.yaml"))
	tag := ""
	for _, v := range []string{"1", "2"} {
		next := filepath.Join(dir, "next")
		if err := errors.Join(os.Symlink(v, next), os.Rename(next, link)); err != nil {
			t.Fatal(err)
		}
		text, newTag, err := d.Fetch(t.Context(), tag)
		if err != nil || string(text) != "version: "+v {
			t.Errorf("Fetch = %q, %v; want version %s", text, err, v)
		}
		tag = newTag
	}
}

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	d := New(filepath.Join(dir, "kept.yaml"))
	if err := d.Keep(t.Context(), []byte("version: 1")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(d.Name())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want that only this user reads it", info.Mode(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Keep(ctx, nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Keep after the end = %v, want fault.Unavailable", err)
	}
	if err := New(filepath.Join(dir, "no", "kept.yaml")).Keep(t.Context(), nil); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "no folder "+dir+"/no") {
		t.Errorf("Keep without a folder = %v, want fault.NotFound and which folder", err)
	}
	onto := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(onto, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := New(onto).Keep(t.Context(), nil); err == nil || strings.Contains(err.Error(), ".folder.") {
		t.Errorf("Keep in place of a folder = %v, want an error that is the same each time", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v; want nothing temporary", entries, err)
	}
}
