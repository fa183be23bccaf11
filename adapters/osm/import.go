package osm

import (
	"context"
	"io"

	"footway/core/fault"
	"footway/core/maps"
)

// Attribution is what the licence asks to be shown with every map.
const Attribution = "© OpenStreetMap contributors, ODbL 1.0"

// MaxFileBytes is the largest extract that Import takes: some ten cities. A
// robot's map is a city; a country is to be cut first.
const MaxFileBytes = 2 << 30

// Options of an import. The zero value is good.
type Options struct {
	// Profile says what robots pass; nil is maps.DefaultProfile.
	Profile *maps.Profile
	// Progress, if not nil, is called now and then with how much of the work is done.
	Progress func(done, total int64)
}

// Import makes a network called name of the extract in src, which has size
// bytes. It fails with fault.Invalid, reason damaged_extract or
// unsupported_extract, and the byte where, if src is not what the PBF format
// says; with fault.Exhausted if it is too large; with fault.Unavailable if src
// cannot be read or ctx ends; and as maps.Builder.Build does if no network
// comes of it. The report is filled in as far as the import came. The result depends on the bytes of src only.
func Import(ctx context.Context, name string, src io.ReaderAt, size int64, o Options) (*maps.Network, *Report, error) {
	report := &Report{Name: name}
	if size > MaxFileBytes {
		return nil, report, fault.New(op, fault.Exhausted, "extract_too_large",
			"%d bytes: want at most %d; cut the city out with osmium extract -b LEFT,BOTTOM,RIGHT,TOP in.osm.pbf -o city.osm.pbf", size, int64(MaxFileBytes))
	}
	e, err := gather(ctx, &file{src: src, size: size}, report, o.Progress)
	if err != nil {
		return nil, report, err
	}
	b := maps.NewBuilder(name, Attribution)
	g := newGraph(e, b)
	g.addStretches()
	g.addPlaces()
	g.addBackdrop()
	report.finish()
	p := maps.DefaultProfile()
	if o.Profile != nil {
		p = *o.Profile
	}
	n, built, err := b.Build(p)
	report.Build = built
	return n, report, err
}
