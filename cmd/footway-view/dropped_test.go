//go:build !js

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"footway/visualizer/desk"
	"footway/visualizer/scene"
)

// TestDropped opens what was dropped: a folder, the files of one, two folders.
func TestDropped(t *testing.T) {
	dir := replayed(t)
	files := fstest.MapFS{}
	for _, name := range []string{"run.fwlog", "market.fwnet", scenarioFile, "day.jsonl"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	some := func(names ...string) fstest.MapFS { // "out/a/run.fwlog" is run.fwlog in a folder
		m := fstest.MapFS{}
		for _, name := range names {
			m[name] = files[filepath.Base(name)]
		}
		return m
	}
	open := func(files fs.FS) (*desk.Desk, error) {
		l := look{Link: desk.NewLink()}
		l.Theme = scene.Dark
		o := dropped(files, l)
		for end := time.Now().Add(patience); ; {
			if d, _, _, err := o.Step(time.Millisecond); d != nil || err != nil {
				return d, err
			}
			if time.Now().After(end) {
				t.Fatal("nothing was opened")
			}
		}
	}
	fork := desk.NewLink()
	fork.Fork, fork.Changes = 0, []string{"dispatch.policy=nearest"}
	for _, tt := range []struct {
		name  string
		files fs.FS
		runs  int
		forks string // what is said when it is forked; "": nothing, it is
	}{
		{"a folder", os.DirFS(filepath.Dir(dir)), 1, ""},
		{"its files", some("run.fwlog", "market.fwnet", scenarioFile, "day.jsonl"), 1, ""},
		{"a folder and a recording beside it", some("out/run.fwlog", "out/market.fwnet", "out/"+scenarioFile, "day.jsonl"), 1, ""},
		{"a folder without the recording", some("out/run.fwlog", "out/market.fwnet", "out/"+scenarioFile), 1, "day.jsonl was not dropped with it"},
		{"without what it was made of", some("run.fwlog", "market.fwnet"), 1, "no scenario.yaml"},
		{"two folders", some("a/run.fwlog", "a/market.fwnet", "b/run.fwlog", "b/market.fwnet"), 2, "no scenario.yaml"},
	} {
		d, err := open(tt.files)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		d.Update(desk.Input{Width: 800, Height: 600, Scale: 1})
		if s := d.Status(); s.Runs != tt.runs || s.Robots == 0 || !s.Dark {
			t.Errorf("%s: %d runs, %d robots, dark %v; want %d, some, as before", tt.name, s.Runs, s.Robots, s.Dark, tt.runs)
		}
		if err := d.Show(fork); tt.forks == "" && err != nil || tt.forks != "" && (err == nil || !strings.Contains(err.Error(), tt.forks)) {
			t.Errorf("%s, forked: %v; want %q", tt.name, err, tt.forks)
		}
	}
	for name, tt := range map[string]struct {
		files fs.FS
		want  string
	}{
		"no run":        {some("market.fwnet"), "no run among"},
		"no map":        {some("run.fwlog"), "without its map"},
		"three":         {some("a/run.fwlog", "b/run.fwlog", "c/run.fwlog", "market.fwnet"), "one, or two"},
		"another thing": {fstest.MapFS{"run.fwlog": files["day.jsonl"], "market.fwnet": files["market.fwnet"]}, "run.fwlog: "},
		"a broken map":  {fstest.MapFS{"run.fwlog": files["run.fwlog"], "market.fwnet": files["day.jsonl"]}, "market.fwnet: "},
	} {
		if _, err := open(tt.files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, tt.want)
		}
	}
}
