package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDiffFindsDamage changes one byte at many places of a log, and cuts it
// there: diff with the whole log never says that the two are equal, and never
// takes one for good.
func TestDiffFindsDamage(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := footway(t, "run", "testdata/small.yaml", "--out", dir); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	whole := filepath.Join(dir, logFile)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.fwlog")
	const places = 40
	for i := range places {
		at := i * (len(data) - 1) / (places - 1)
		flipped := append([]byte{}, data...)
		flipped[at] ^= 0x10
		for what, content := range map[string][]byte{"changed at": flipped, "cut before": data[:at]} {
			if err := os.WriteFile(bad, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if code, out, errs := footway(t, "diff", whole, bad); code != exitUsage || errs == "" {
				t.Errorf("%s byte %d of %d: exit %d, %q, want %d and why; %s", what, at, len(data), code, errs, exitUsage, out)
			}
		}
	}
}
