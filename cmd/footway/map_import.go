package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/osm"
)

// importResult is what `map import --json` prints.
type importResult struct {
	File   string      `json:"file"`
	Bytes  int64       `json:"bytes"`
	Hash   string      `json:"hash"`
	WallMS int64       `json:"wall_ms"`
	Report *osm.Report `json:"report"`
}

func newMapImportCommand() *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE.osm.pbf",
		Short: "Make a network of an OpenStreetMap extract",
		Long: `Reads an OpenStreetMap extract in the PBF format, keeps what a sidewalk robot
can pass, its addresses, merchants and something to look at, and writes a
network file. The report says what was kept, what was left out, and why.

Extracts of cities: https://download.bbbike.org, or cut one out of a larger
file with osmium extract. Maps made of them show "` + osm.Attribution + `".`,
		Example: `  footway map import helsinki.osm.pbf
  footway map import helsinki.osm.pbf -o maps/helsinki.fwnet --json`,
		Args: wants("FILE.osm.pbf"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := args[0]
			if !strings.HasSuffix(path, ".pbf") {
				return wrongKind(path)
			}
			if out == "" {
				out = networkName(path) + ".fwnet"
			}
			if filepath.Ext(out) != ".fwnet" {
				return usagef("--output %q: want a name that ends in .fwnet", out)
			}
			return runImport(cmd, path, out, asJSON)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "network file to write (default: the extract's name with .fwnet, here)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return cmd
}

func runImport(cmd *cobra.Command, path, out string, asJSON bool) error {
	begin := time.Now()
	show, done := progressBar(cmd.ErrOrStderr(), "importing "+filepath.Base(path))
	n, report, err := importExtract(cmd.Context(), path, show)
	done()
	if err != nil {
		return err
	}
	if err := writeNetwork(out, n); err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	r := importResult{File: out, Bytes: info.Size(), Hash: n.Hash(), WallMS: time.Since(begin).Milliseconds(), Report: report}
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), r)
	}
	if err := report.WriteText(cmd.OutOrStdout()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\n%s: %.1f MB, hash %s, in %.2f s\n%s\n",
		out, float64(r.Bytes)/1e6, r.Hash[:16], float64(r.WallMS)/1000, n.Attribution)
	return err
}

// progressBar returns a function that shows how far the work is and how long
// it will still take, on a terminal only, and one that clears the line.
func progressBar(w io.Writer, what string) (show func(done, total int64), clear func()) {
	if !terminal(w) {
		return nil, func() {}
	}
	begin, last := time.Now(), time.Time{}
	show = func(done, total int64) {
		now := time.Now()
		if done <= 0 || now.Sub(last) < 100*time.Millisecond {
			return
		}
		last = now
		left := time.Duration(float64(now.Sub(begin)) * float64(total-done) / float64(done))
		fmt.Fprintf(w, "\r\x1b[K%s  %3d%%  %.1f s left", what, 100*done/total, left.Seconds())
	}
	return show, func() { fmt.Fprint(w, "\r\x1b[K") }
}
