package osm

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"footway/core/maps"
)

// Report says what an import read, kept and left out, and why.
type Report struct {
	Name      string `json:"name"`
	Bytes     int64  `json:"bytes"`
	Blocks    int    `json:"blocks"`
	Nodes     int64  `json:"nodes"`
	Ways      int64  `json:"ways"`
	Relations int64  `json:"relations"`

	MissingNodes   int64 `json:"missing_nodes"`   // named by ways of use, but not in the file
	RepeatedNodes  int64 `json:"repeated_nodes"`  // given twice; the first counts
	OffGlobe       int64 `json:"off_globe"`       // nodes with impossible positions
	Barriers       int64 `json:"barriers"`        // where ways are cut by gates, stiles and the like
	Leaps          int64 `json:"leaps"`           // where ways are cut because the next node is kilometres away
	BrokenOutlines int   `json:"broken_outlines"` // of areas that the file does not hold whole

	DroppedWays       []Count          `json:"dropped_ways"` // highways left out, by reason
	InferredCrossings int              `json:"inferred_crossings"`
	Addresses         AddressCount     `json:"addresses"`
	Merchants         MerchantCount    `json:"merchants"`
	Backdrop          int              `json:"backdrop"` // shapes
	Build             maps.BuildReport `json:"build"`    // what became of the stretches
}

// Count is how often something happened.
type Count struct {
	Reason string `json:"reason"`
	N      int64  `json:"n"`
}

// AddressCount says where addresses came from.
type AddressCount struct {
	Direct       int `json:"direct"`       // tagged on a node or an outline
	Interpolated int `json:"interpolated"` // counted between two of them
	Repeated     int `json:"repeated"`     // the same one again nearby
	Nowhere      int `json:"nowhere"`      // on an outline whose nodes are missing
	Uncounted    int `json:"uncounted"`    // interpolations whose ends do not agree
}

// MerchantCount says how merchants got their addresses.
type MerchantCount struct {
	Found       int `json:"found"`
	NearestDoor int `json:"nearest_door"` // without an address of their own, given the nearest
	NoDoor      int `json:"no_door"`      // with none nearby either
	Repeated    int `json:"repeated"`     // the same name again nearby
}

// drop counts a way that is left out.
func (r *Report) drop(reason string) {
	i := slices.IndexFunc(r.DroppedWays, func(c Count) bool { return c.Reason == reason })
	if i < 0 {
		i = len(r.DroppedWays)
		r.DroppedWays = append(r.DroppedWays, Count{Reason: reason})
	}
	r.DroppedWays[i].N++
}

// finish puts the most frequent reasons first.
func (r *Report) finish() {
	slices.SortFunc(r.DroppedWays, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason))
	})
}

// WriteText writes r as a table for people.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what, format string, args ...any) {
		fmt.Fprintf(t, "  %s\t"+format+"\n", append([]any{what}, args...)...)
	}
	fmt.Fprintf(t, "%s\n\n", r.Name)
	row("read", "%d nodes, %d ways, %d relations in %.1f MB", r.Nodes, r.Ways, r.Relations, float64(r.Bytes)/1e6)
	row("network", "%d nodes, %d directed edges", r.Build.KeptNodes, r.Build.KeptEdges)
	for _, c := range r.Build.Classes {
		row("  "+c.Class.String(), "%.1f km", float64(c.LengthMM)/2e6)
	}
	row("crossings inferred", "%d", r.InferredCrossings)
	a, m := r.Addresses, r.Merchants
	row("addresses", "%d kept of %d tagged and %d interpolated; %d too far from any way", r.Build.Addresses.Kept, a.Direct, a.Interpolated, r.Build.Addresses.Far)
	row("merchants", "%d kept of %d; %d given the nearest address, %d without; %d too far from any way", r.Build.Merchants.Kept, m.Found, m.NearestDoor, m.NoDoor, r.Build.Merchants.Far)
	row("backdrop", "%d shapes", r.Backdrop)
	fmt.Fprintf(t, "\nleft out\n")
	for _, c := range r.DroppedWays {
		row(c.Reason, "%d ways", c.N)
	}
	for _, d := range r.Build.Dropped {
		row(d.Reason, "%d edges, %.1f km", d.Edges, float64(d.LengthMM)/2e6)
	}
	r.oddities(row)
	return t.Flush()
}

// oddities lists what was wrong with the file, if anything was.
func (r *Report) oddities(row func(what, format string, args ...any)) {
	for _, o := range []struct {
		what string
		n    int64
	}{
		{"nodes missing from the file", r.MissingNodes}, {"nodes given twice", r.RepeatedNodes},
		{"nodes off the globe", r.OffGlobe}, {"ways cut at barriers", r.Barriers}, {"ways cut at leaps", r.Leaps},
		{"outlines not whole", int64(r.BrokenOutlines)}, {"addresses given twice", int64(r.Addresses.Repeated)},
		{"addresses without a position", int64(r.Addresses.Nowhere)},
		{"interpolations that do not add up", int64(r.Addresses.Uncounted)}, {"merchants given twice", int64(r.Merchants.Repeated)},
	} {
		if o.n > 0 {
			row(o.what, "%d", o.n)
		}
	}
}
