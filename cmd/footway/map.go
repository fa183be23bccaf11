package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"footway/adapters/mapdraw"
	"footway/core/maps"
)

// newMapCommand returns `footway map` with its sub-commands.
func newMapCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "map",
		Short: "Import, draw and try networks",
		Long: `Networks are the maps that robots move on: sidewalks, crossings, paths and
streets, with addresses and merchants.

` + networkHelp,
		Example: `  footway map import helsinki.osm.pbf -o helsinki.fwnet
  footway map show helsinki.fwnet -o helsinki.png`,
	}
	cmd.AddCommand(newMapImportCommand(), newMapShowCommand(), newMapRouteCommand())
	return cmd
}

// writeJSON writes v for programs.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// parseBox reads "west,south,east,north" in degrees.
func parseBox(s string) (maps.Box, error) {
	parts := strings.Split(s, ",")
	if len(parts) == 4 {
		low, okLow, errLow := maps.ParsePoint(parts[1] + "," + parts[0])
		high, okHigh, errHigh := maps.ParsePoint(parts[3] + "," + parts[2])
		if okLow && okHigh && errLow == nil && errHigh == nil && low.Lon < high.Lon && low.Lat < high.Lat {
			return maps.Box{Min: low, Max: high}, nil
		}
	}
	return maps.Box{}, usagef("--bbox %q: want west,south,east,north in degrees, such as -122.31,47.66,-122.27,47.69", s)
}

// parseSize reads "1600x1200", or "1600" for a width with a height that fits.
func parseSize(s string) (width, height int, err error) {
	w, h, both := strings.Cut(s, "x")
	width, err = strconv.Atoi(w)
	if err == nil && both {
		height, err = strconv.Atoi(h)
	}
	fits := func(n int) bool { return n >= mapdraw.MinSize && n <= mapdraw.MaxSize }
	if err != nil || !fits(width) || both && !fits(height) {
		return 0, 0, usagef("--size %q: want pixels as in 1600x1200, or a width as in 1600; %d to %d each way", s, mapdraw.MinSize, mapdraw.MaxSize)
	}
	return width, height, nil
}

// degrees writes a point as people read it.
func degrees(p maps.Point) string {
	return fmt.Sprintf("%.6f, %.6f", float64(p.Lat)/1e7, float64(p.Lon)/1e7)
}

// distance writes a length as people say it.
func distance(mm int64) string {
	switch {
	case mm < 1_000_000:
		return fmt.Sprintf("%d m", (mm+500)/1000)
	case mm < 100_000_000:
		return fmt.Sprintf("%.2f km", float64(mm)/1e6)
	}
	return fmt.Sprintf("%.0f km", float64(mm)/1e6)
}

// span writes a time as people say it.
func span(ms int64) string {
	s := (ms + 500) / 1000
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %02d min", s/3600, s/60%60)
}
