package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"footway/adapters/mapdraw"
	"footway/core/maps"
)

// networkSummary is what `map show --json` prints.
type networkSummary struct {
	Name        string        `json:"name"`
	Attribution string        `json:"attribution"`
	Hash        string        `json:"hash"`
	Nodes       int           `json:"nodes"`
	Edges       int           `json:"edges"`
	Classes     []classLength `json:"classes"`
	Signals     int           `json:"signals"`
	Addresses   int           `json:"addresses"`
	Merchants   int           `json:"merchants"`
	Backdrop    int           `json:"backdrop"`
	West        float64       `json:"west"`
	South       float64       `json:"south"`
	East        float64       `json:"east"`
	North       float64       `json:"north"`
	Picture     string        `json:"picture,omitempty"`
}

// classLength is how much of a class there is, each stretch once.
type classLength struct {
	Class    maps.Class `json:"class"`
	Inferred bool       `json:"inferred"`
	Metres   int64      `json:"metres"`
}

func newMapShowCommand() *cobra.Command {
	var out, box, size string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show NETWORK",
		Short: "Describe a network, or draw it to PNG or SVG",
		Long:  "Prints what a network holds, and draws it if --output names a picture.\n\n" + networkHelp,
		Example: `  footway map show city -o city.png
  footway map show wedgwood.fwnet -o corner.svg --bbox -122.30,47.68,-122.28,47.69 --size 1200x900`,
		Args: wants("NETWORK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := pictureOptions(box, size)
			if err != nil {
				return err
			}
			if out != "" {
				if _, err := pictureFormat(out); err != nil {
					return err
				}
			}
			n, err := loadNetwork(args[0])
			if err != nil {
				return err
			}
			if out != "" {
				if err := draw(out, n, o); err != nil {
					return err
				}
			}
			s := summarize(n, out)
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			return s.writeText(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "picture to write, .png or .svg")
	cmd.Flags().StringVar(&box, "bbox", "", "part to draw: west,south,east,north in degrees")
	cmd.Flags().StringVar(&size, "size", "", "pixels, such as 1600x1200 or 1600")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the description as JSON")
	return cmd
}

// pictureOptions reads --bbox and --size.
func pictureOptions(box, size string) (o mapdraw.Options, err error) {
	if box != "" {
		if o.Box, err = parseBox(box); err != nil {
			return o, err
		}
	}
	if size != "" {
		o.Width, o.Height, err = parseSize(size)
	}
	return o, err
}

// pictureFormat is told by the file's name.
func pictureFormat(path string) (mapdraw.Format, error) {
	switch filepath.Ext(path) {
	case ".png":
		return mapdraw.PNG, nil
	case ".svg":
		return mapdraw.SVG, nil
	}
	return 0, usagef("--output %q: want a name that ends in .png or .svg", path)
}

// draw writes a picture of n.
func draw(path string, n *maps.Network, o mapdraw.Options) error {
	format, err := pictureFormat(path)
	if err != nil {
		return err
	}
	return writeFile(path, func(f *os.File) error { return mapdraw.Write(f, format, n, o) })
}

// summarize counts what n holds.
func summarize(n *maps.Network, picture string) networkSummary {
	box := n.Bounds()
	s := networkSummary{
		Name: n.Name, Attribution: n.Attribution, Hash: n.Hash(), Nodes: len(n.Nodes), Edges: len(n.Edges),
		Addresses: len(n.Addresses), Merchants: len(n.Merchants), Backdrop: len(n.Backdrop), Picture: picture,
		West: float64(box.Min.Lon) / 1e7, South: float64(box.Min.Lat) / 1e7,
		East: float64(box.Max.Lon) / 1e7, North: float64(box.Max.Lat) / 1e7,
	}
	var mm [maps.KerbStep + 1][2]int64
	signals := map[int32]bool{}
	for i := range n.Edges {
		e := &n.Edges[i]
		if e.Signal != 0 {
			signals[e.Signal] = true
		}
		if e.Reverse != maps.NoEdge && e.Reverse < maps.EdgeID(i) {
			continue
		}
		inferred := 0
		if e.Flags&maps.Inferred != 0 {
			inferred = 1
		}
		mm[e.Class][inferred] += int64(e.LengthMM)
	}
	s.Signals = len(signals)
	for class, lengths := range mm {
		for inferred, length := range lengths {
			if length > 0 {
				s.Classes = append(s.Classes, classLength{maps.Class(class), inferred == 1, length / 1000})
			}
		}
	}
	return s
}

// writeText writes s as a table for people.
func (s *networkSummary) writeText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\n\n", s.Name)
	fmt.Fprintf(t, "  network\t%d nodes, %d directed edges, %d signals\n", s.Nodes, s.Edges, s.Signals)
	for _, c := range s.Classes {
		name := c.Class.String()
		if c.Inferred {
			name += ", inferred"
		}
		fmt.Fprintf(t, "    %s\t%s\n", name, distance(c.Metres*1000))
	}
	fmt.Fprintf(t, "  addresses\t%d\n  merchants\t%d\n  backdrop\t%d shapes\n", s.Addresses, s.Merchants, s.Backdrop)
	fmt.Fprintf(t, "  from\t%.5f, %.5f\n  to\t%.5f, %.5f\n  hash\t%s\n", s.South, s.West, s.North, s.East, s.Hash)
	if s.Picture != "" {
		fmt.Fprintf(t, "  drawn to\t%s\n", s.Picture)
	}
	if s.Attribution != "" {
		fmt.Fprintf(t, "\n%s\n", s.Attribution)
	}
	return t.Flush()
}
