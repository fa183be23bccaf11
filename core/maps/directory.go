package maps

import (
	"slices"
	"strings"

	"footway/core/fault"
)

// Listing is an address in the forms in which an AddressBook searches it.
type Listing struct {
	Address int32  // index into Network.Addresses
	House   string // number in short form, such as "8210" or "12a"; "" if there is none
	Text    string // its words as written and in their short forms, a space before and behind each
}

// Directory lists the addresses of n by street, number, suffix and index.
func (n *Network) Directory() []Listing {
	all := housesByStreet(n)
	out := make([]Listing, len(all))
	for i, h := range all {
		out[i] = Listing{Address: h.address, Text: listingText(&n.Addresses[h.address])}
		if h.value >= 0 {
			out[i].House = itoa(h.value) + h.suffix
		}
	}
	return out
}

func listingText(a *Address) string {
	ws := words(a.Number + " " + a.Street + " " + a.City + " " + a.Postcode)
	for i, short := range shorten(ws) {
		if short != ws[i] {
			ws = append(ws, short)
		}
	}
	return " " + strings.Join(ws, " ") + " "
}

// The most words of a text that a search looks at: an address has fewer, and
// each costs time.
const (
	maxTypedWords = 8
	maxPlaceWords = 4
)

// Typed is an address as far as somebody has typed it. A Listing fits it if
// its House begins with House, and its Text contains one of the forms of each of Words:
// the beginning of a word, or all of its common short form.
type Typed struct {
	House    string     // the number it begins with, or ""
	Words    [][]string // forms of each further word up to the first comma
	Place    [][]string // forms of each word behind it: they rank, and rule nothing out
	Spelling string     // the words up to the comma but House, for finding what is spelt almost so
}

// ReadTyped takes apart what somebody typed. It fails with fault.Invalid if text
// is blank or longer than MaxQuery. Of a long text it reads the beginning.
func ReadTyped(text string) (Typed, error) {
	if err := checkQuery("maps.ReadTyped", text); err != nil {
		return Typed{}, err
	}
	line, place, _ := strings.Cut(text, ",")
	var t Typed
	ws := words(line)
	if len(ws) > 0 {
		if _, ok := parseNumber(ws[0]); ok {
			t.House, ws = ws[0], ws[1:]
		}
	}
	ws = ws[:min(len(ws), maxTypedWords)]
	t.Words, t.Spelling = forms(ws), strings.Join(ws, " ")
	ws = words(place)
	t.Place = forms(ws[:min(len(ws), maxPlaceWords)])
	return t, nil
}

func forms(ws []string) [][]string {
	var out [][]string
	for i, short := range shorten(ws) {
		f := []string{" " + ws[i]}
		if short != ws[i] {
			f = append(f, " "+short+" ")
		}
		out = append(out, f)
	}
	return out
}

// Empty reports whether t holds nothing to search for, such as "???".
func (t *Typed) Empty() bool { return t.House == "" && len(t.Words) == 0 }

// Fits reports whether l fits t.
func (t *Typed) Fits(l *Listing) bool {
	return strings.HasPrefix(l.House, t.House) && !slices.ContainsFunc(t.Words, func(forms []string) bool { return !has(l.Text, forms) })
}

// PlaceWords returns how many of Place l has.
func (t *Typed) PlaceWords(l *Listing) int {
	n := 0
	for _, forms := range t.Place {
		if has(l.Text, forms) {
			n++
		}
	}
	return n
}

func has(text string, forms []string) bool {
	return slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) })
}

// CheckNear reports what is wrong with a question for what is within withinMM of
// p: a fault.Invalid error.
func CheckNear(p Point, withinMM int64) error {
	const op = "maps.CheckNear"
	switch {
	case withinMM < 0 || withinMM > MaxNearMM:
		return fault.New(op, fault.Invalid, "bad_distance", "within %d mm: want 0 to %d", withinMM, MaxNearMM)
	case !p.Valid():
		return fault.New(op, fault.Invalid, "bad_point", "lon %d, lat %d is not on Earth: want 1e-7 degrees within ±180 and ±90", p.Lon, p.Lat)
	}
	return nil
}
