package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"footway/core/maps"
	"footway/core/market"
)

var _ maps.AddressBook = (*MapStore)(nil)

// directory is a network's addresses in the forms in which they are searched.
type directory struct {
	network *maps.Network
	list    []maps.Listing
}

// directory returns the market's, made when it is first asked for and when the
// network was replaced; an empty one if there is no network.
func (s *MapStore) directory(m market.ID) directory {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.networks[m]
	if n == nil {
		return directory{}
	}
	d := s.directories[m]
	if d.network != n {
		d = directory{n, n.Directory()}
		s.directories[m] = d
	}
	return d
}

// found is an address of a directory with what its place among others follows from.
type found struct {
	place int   // in the directory
	score int   // higher comes first
	mm    int64 // from where the search is
}

// best returns the first of in as matches.
func (d *directory) best(in []found, limit int) []maps.Match {
	slices.SortFunc(in, func(a, b found) int {
		return cmp.Or(-cmp.Compare(a.score, b.score), cmp.Compare(a.mm, b.mm), cmp.Compare(a.place, b.place))
	})
	var out []maps.Match
	for _, f := range in[:min(len(in), limit)] {
		out = append(out, d.network.Addresses[d.list[f.place].Address].Match())
	}
	return out
}

func (d *directory) distance(place int, from *maps.Point) int64 {
	if from == nil {
		return 0
	}
	return maps.Distance(*from, d.network.Addresses[d.list[place].Address].Point)
}

// SearchAddresses implements maps.AddressBook. It looks at every address.
func (s *MapStore) SearchAddresses(_ context.Context, m market.ID, text string, near *maps.Point, limit int) ([]maps.Match, error) {
	typed, err := maps.ReadTyped(text)
	if err != nil {
		return nil, err
	}
	limit = min(limit, maps.MaxMatches)
	if limit <= 0 || typed.Empty() {
		return nil, nil
	}
	d := s.directory(m)
	var fit, almost []found
	wanted := trigrams(typed.Spelling)
	for i := range d.list {
		l := &d.list[i]
		switch {
		case typed.Fits(l):
			score := 2 * typed.PlaceWords(l)
			if l.House == typed.House {
				score++
			}
			fit = append(fit, found{i, score, d.distance(i, near)})
		case strings.HasPrefix(l.House, typed.House):
			if share := shared(wanted, trigrams(l.Text)); share >= almostPermille {
				almost = append(almost, found{i, share, d.distance(i, near)})
			}
		}
	}
	out := d.best(fit, limit)
	return append(out, d.best(almost, limit-len(out))...), nil
}

// almostPermille is how much of the trigrams of what was typed an address must
// have to count as spelt almost so: one wrong letter in a word of six leaves four of seven.
const almostPermille = 550

// trigrams returns the runs of three letters of each word of text, as if two
// spaces stood before it and one behind, sorted, each once.
func trigrams(text string) []string {
	var out []string
	for _, w := range strings.Fields(text) {
		r := []rune("  " + w + " ")
		for i := range len(r) - 2 {
			out = append(out, string(r[i:i+3]))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shared returns how many of a thousand of the elements of a are in b, both sorted.
func shared(a, b []string) int {
	if len(a) == 0 {
		return 0
	}
	n := 0
	for _, t := range a {
		if _, in := slices.BinarySearch(b, t); in {
			n++
		}
	}
	return n * 1000 / len(a)
}

// AddressesNear implements maps.AddressBook.
func (s *MapStore) AddressesNear(_ context.Context, m market.ID, p maps.Point, withinMM int64, limit int) ([]maps.Match, error) {
	if err := maps.CheckNear(p, withinMM); err != nil {
		return nil, err
	}
	d := s.directory(m)
	var in []found
	for i := range d.list {
		if mm := d.distance(i, &p); mm <= withinMM {
			in = append(in, found{place: i, mm: mm})
		}
	}
	return d.best(in, max(0, min(limit, maps.MaxMatches))), nil
}

// AreasAt implements maps.AddressBook.
func (s *MapStore) AreasAt(ctx context.Context, m market.ID, p maps.Point) ([]maps.Area, error) {
	st, err := s.State(ctx, m)
	return slices.DeleteFunc(st.Areas, func(a maps.Area) bool { return !a.Contains(p) }), err
}
