package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"footway/core/fault"
	"footway/core/maps"
)

// snapMM is how far from the network a place may lie to be routed from.
const snapMM = 500_000

// stop is an end of a route.
type stop struct {
	Query string        `json:"query"`
	Name  string        `json:"name"` // what the map calls it
	Point maps.Point    `json:"point"`
	At    maps.Position `json:"at"`
	OffMM int64         `json:"off_mm"` // from there to the nearest way
}

// routeResult is what `map route --json` prints.
type routeResult struct {
	From  stop        `json:"from"`
	To    stop        `json:"to"`
	Route maps.Route  `json:"route"`
	Steps []maps.Step `json:"steps"`
}

func newMapRouteCommand() *cobra.Command {
	var out, size string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "route NETWORK FROM TO",
		Short: "Print the way between two places, step by step",
		Long: `Finds the best way for a robot and prints its steps, time, length and energy.
FROM and TO are each "latitude,longitude", an address, or a merchant's name.

` + networkHelp,
		Example: `  footway map route wedgwood.fwnet "8210 35th Ave NE, Seattle" 47.6745,-122.2901
  footway map route wedgwood.fwnet "Wedgwood Broiler" "7300 35th Ave NE" -o way.png`,
		Args: wants("NETWORK", "FROM", "TO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := pictureOptions("", size)
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
			r, err := route(n, args[1], args[2])
			if err != nil {
				return err
			}
			if out != "" {
				o.Route = routeLine(n, r.Route)
				o.Box = boxAround(o.Route)
				if err := draw(out, n, o); err != nil {
					return err
				}
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			return r.writeText(cmd.OutOrStdout(), n.Attribution)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "also draw the way to a picture, .png or .svg")
	cmd.Flags().StringVar(&size, "size", "", "pixels, such as 1600x1200 or 1600")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the way as JSON")
	return cmd
}

// route finds the best way under the default profile, with nothing closed.
func route(n *maps.Network, from, to string) (*routeResult, error) {
	index := maps.NewIndex(n)
	coder := maps.NewGeocoder(index)
	var r routeResult
	var err error
	if r.From, err = findStop(n, index, coder, from); err != nil {
		return nil, usagef("FROM: %w", err)
	}
	if r.To, err = findStop(n, index, coder, to); err != nil {
		return nil, usagef("TO: %w", err)
	}
	metric := maps.NewMetric(n, maps.DefaultProfile(), maps.Live{})
	router := maps.NewRouter(n, maps.NewMetricSource(metric), maps.RouterOptions{})
	if r.Route, err = router.Route(r.From.At, r.To.At); err != nil {
		return nil, err
	}
	r.Steps = n.Steps(r.Route)
	return &r, nil
}

// findStop reads coordinates, a merchant's name or an address.
func findStop(n *maps.Network, index *maps.Index, coder *maps.Geocoder, query string) (stop, error) {
	p, isPoint, err := maps.ParsePoint(query)
	if err != nil {
		return stop{}, err
	}
	if isPoint {
		at, off, ok := index.NearestStand(p, snapMM)
		if !ok {
			box := n.Bounds()
			return stop{}, fmt.Errorf("%s is more than %s from any way of map %q, which reaches from %s to %s",
				degrees(p), distance(snapMM), n.Name, degrees(box.Min), degrees(box.Max))
		}
		return stop{query, degrees(p), p, at, off}, nil
	}
	for i := range n.Merchants {
		if m := &n.Merchants[i]; strings.EqualFold(m.Name, query) {
			return stop{query, m.Name, m.Point, m.At, int64(m.OffMM)}, nil
		}
	}
	m, err := coder.Geocode(query)
	if err != nil {
		return stop{}, suggest(coder, query, err)
	}
	return stop{query, m.Address, m.Point, m.At, int64(m.OffMM)}, nil
}

// suggest adds addresses that begin alike to err: in the same street, or else
// in one whose name has the same first letters.
func suggest(coder *maps.Geocoder, query string, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	line, _, _ := strings.Cut(query, ",")
	street := strings.TrimLeft(line, "0123456789 ")
	letters := []rune(street)
	for _, try := range []string{line, street, string(letters[:min(len(letters), 3)])} {
		found, searchErr := coder.Search(try, 3)
		if searchErr != nil || len(found) == 0 {
			continue
		}
		var names []string
		for _, m := range found {
			names = append(names, m.Address)
		}
		return fmt.Errorf("%w; there is: %s", plain(err), strings.Join(names, "; "))
	}
	return plain(err)
}

// routeLine returns the points of r from end to end.
func routeLine(n *maps.Network, r maps.Route) []maps.Point {
	line := []maps.Point{n.PointAt(r.From)}
	var buf []maps.Point
	for _, p := range r.Pieces {
		line = append(line, n.PointAt(maps.Position{Edge: p.Edge, OffsetMM: p.FromMM}))
		buf = n.Line(buf[:0], p.Edge)
		along := int64(0)
		for i := 1; i+1 < len(buf); i++ {
			along += maps.Distance(buf[i-1], buf[i])
			if along > int64(p.FromMM) && along < int64(p.ToMM) {
				line = append(line, buf[i])
			}
		}
		line = append(line, n.PointAt(maps.Position{Edge: p.Edge, OffsetMM: p.ToMM}))
	}
	return line
}

// boxAround returns a box with the line in its middle and room around it.
func boxAround(line []maps.Point) maps.Box {
	box := maps.EmptyBox()
	for _, p := range line {
		box = box.With(p)
	}
	const least = 8_000 // 1e-7 degrees, some 90 m
	dx, dy := max((box.Max.Lon-box.Min.Lon)/6, least), max((box.Max.Lat-box.Min.Lat)/6, least)
	box.Min.Lon, box.Max.Lon = box.Min.Lon-dx, box.Max.Lon+dx
	box.Min.Lat, box.Max.Lat = box.Min.Lat-dy, box.Max.Lat+dy
	return box
}

// writeText writes the way for people.
func (r *routeResult) writeText(w io.Writer, attribution string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "from  %s (%s from the way)\n", r.From.Name, distance(r.From.OffMM))
	fmt.Fprintf(t, "to    %s (%s from the way)\n\n", r.To.Name, distance(r.To.OffMM))
	for i, s := range r.Steps {
		fmt.Fprintf(t, "%3d\t%s\t%s\t%s\t%s\n", i+1, stepWords(s), stepClass(s), distance(s.LengthMM), span(s.Millis))
	}
	fmt.Fprintf(t, "\n%s in %s, %d crossings, %.1f Wh\n", distance(r.Route.LengthMM), span(r.Route.Millis),
		r.Route.Crossings, float64(r.Route.EnergyMWh)/1000)
	if attribution != "" {
		fmt.Fprintln(t, attribution)
	}
	return t.Flush()
}

// stepWords says what to do, such as "right into Main Street".
func stepWords(s maps.Step) string {
	points := [...]string{"north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"}
	do := string(s.Turn)
	if s.Turn == maps.Start {
		do = "go " + points[(s.Heading+22)/45%8]
	}
	switch {
	case s.Class == maps.Crossing && s.Name != "":
		return do + ", cross " + s.Name
	case s.Class == maps.Crossing:
		return do + ", cross the street"
	case s.Name == "":
		return do
	case s.Turn == maps.Start, s.Turn == maps.Straight:
		return do + " along " + s.Name
	}
	return do + " into " + s.Name
}

// stepClass says on what, such as "crossing, signal".
func stepClass(s maps.Step) string {
	if s.Control != maps.ControlNone {
		return s.Class.String() + ", " + s.Control.String()
	}
	return s.Class.String()
}
