package maps

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"footway/core/fault"

	gocmp "github.com/google/go-cmp/cmp"
)

// town has two streets in one city, one of them again in another, and one in Europe's style.
func town(t testing.TB) *Network {
	t.Helper()
	b := NewBuilder("town", "nobody")
	corner := [4]NodeID{b.Node(at(0, 0)), b.Node(at(400, 0)), b.Node(at(400, 400)), b.Node(at(0, 400))}
	for i := range corner {
		b.Stretch(Stretch{From: corner[i], To: corner[(i+1)%4], Name: "Ring"})
	}
	for i, number := range []string{"8202", "8206", "8210", "8230", "8211", "8219"} {
		b.Address(number, "35th Avenue Northeast", "Seattle", "98115", at(int64(20+10*i), 10))
	}
	b.Address("12a", "Saint Paul Street", "Seattle", "98105", at(100, 390))
	b.Address("14", "Saint Paul Street", "Seattle", "98105", at(110, 390))
	b.Address("100", "Main Street", "Seattle", "98115", at(10, 100))
	b.Address("100", "Main Street", "Dundalk", "21222", at(390, 300))
	b.Address("7", "Käsityöläiskatu", "Seattle", "98105", at(390, 100))
	b.Address("10-14", "Key Highway", "", "", at(390, 200))
	n, _, err := b.Build(DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGeocode(t *testing.T) {
	g := NewGeocoder(NewIndex(town(t)))
	for _, c := range []struct{ query, want string }{
		{"8210 35th Avenue Northeast, Seattle, WA 98115", "8210 35th Avenue Northeast, Seattle 98115"},
		{"8210 35th Ave NE, Seattle, WA 98115", "8210 35th Avenue Northeast, Seattle 98115"},
		{" 8210  35TH AVE. N.E. , seattle", "8210 35th Avenue Northeast, Seattle 98115"},
		{"8210 35th Ave NE Seattle WA 98115 USA", "8210 35th Avenue Northeast, Seattle 98115"},
		{"8210 35th Ave NE Apt 4, Seattle, WA", "8210 35th Avenue Northeast, Seattle 98115"},
		{"8210 35th Ave NE, #12, Seattle, WA", "8210 35th Avenue Northeast, Seattle 98115"},
		{"8210, 35th Ave NE, Seattle", "8210 35th Avenue Northeast, Seattle 98115"},
		{"8210 35th Ave NE", "8210 35th Avenue Northeast, Seattle 98115"},
		{"12a St Paul St, Seattle", "12a Saint Paul Street, Seattle 98105"},
		{"12A St. Paul St., Seattle 98105", "12a Saint Paul Street, Seattle 98105"},
		{"Kasityolaiskatu 7, 98105 Seattle", "7 Käsityöläiskatu, Seattle 98105"},
		{"100 Main St, Dundalk, MD", "100 Main Street, Dundalk 21222"},
		{"100 Main St, Somewhere, MD 21222", "100 Main Street, Dundalk 21222"},
		{"12 Key Hwy, Seattle", ""}, // a range is known by its first number
		{"10-14 Key Hwy, Seattle", "10-14 Key Highway"},
		{"8220 35th Ave NE, Seattle", "~8220 35th Avenue Northeast, Seattle 98115"}, // between 8210 and 8230
		{"8215 35th Ave NE, Seattle", "~8215 35th Avenue Northeast, Seattle 98115"}, // between 8211 and 8219
		{"8210b 35th Ave NE, Seattle", "~8210 35th Avenue Northeast, Seattle 98115"},
		{"100 Main St", "~100 Main Street, Seattle 98115"}, // one of two
		{"8240 35th Ave NE, Seattle", ""},                  // beyond the last
		{"8213 St Paul St, Seattle", ""},
		{"8210 36th Ave NE, Seattle", ""},
		{"350 5th Ave, New York, NY 10118", ""},
		{"100 Main St, Springfield, OR 97403", ""},
		{"8210 35th Ave NE, Atlantis", ""},
		{"35th Ave NE, Seattle", ""},
		{"???", ""},
		{"99999999999999999999 Main St, Seattle", ""},
	} {
		m, err := g.Geocode(c.query)
		got := m.Address
		if m.Approximate {
			got = "~" + got
		}
		if err != nil && (!fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != "unknown_address") {
			t.Errorf("%q: %v, want unknown_address", c.query, err)
		}
		for _, word := range strings.Fields(c.query) {
			if err != nil && len(word) > 2 && strings.Contains(err.Error(), word) {
				t.Errorf("%q: the error %q repeats the address", c.query, err)
			}
		}
		if got != c.want {
			t.Errorf("%q = %q (%v), want %q", c.query, got, err, c.want)
		}
	}
}

func TestGeocodeInterpolates(t *testing.T) {
	n := town(t)
	m, err := NewGeocoder(NewIndex(n)).Geocode("8220 35th Ave NE, Seattle")
	if err != nil {
		t.Fatal(err)
	}
	if d := Distance(m.Point, at(45, 10)); d > 20 || !n.Check(m.At) { // half-way from 8210 at 40 m to 8230 at 50 m
		t.Errorf("8220 is %d mm from half-way", d)
	}
}

func TestGeocodeLimits(t *testing.T) {
	g := NewGeocoder(NewIndex(town(t)))
	for _, q := range []string{"", "   ", strings.Repeat("x", MaxQuery+1)} {
		if _, err := g.Geocode(q); !fault.Is(err, fault.Invalid) {
			t.Errorf("Geocode of %d bytes: %v, want invalid", len(q), err)
		}
		if _, err := g.Search(q, 5); !fault.Is(err, fault.Invalid) {
			t.Errorf("Search of %d bytes: %v, want invalid", len(q), err)
		}
	}
}

func TestSearch(t *testing.T) {
	g := NewGeocoder(NewIndex(town(t)))
	for _, c := range []struct {
		query string
		limit int
		want  []string
	}{
		{"82", 3, []string{"8202 35th Avenue Northeast, Seattle 98115", "8206 35th Avenue Northeast, Seattle 98115", "8210 35th Avenue Northeast, Seattle 98115"}},
		{"821 35th av", 9, []string{"8210 35th Avenue Northeast, Seattle 98115", "8211 35th Avenue Northeast, Seattle 98115", "8219 35th Avenue Northeast, Seattle 98115"}},
		{"35th Avenu", 1, []string{"8202 35th Avenue Northeast, Seattle 98115"}},
		{"sai", 9, []string{"12a Saint Paul Street, Seattle 98105", "14 Saint Paul Street, Seattle 98105"}},
		{"zzz", 9, nil},
		{"main", 0, nil},
	} {
		found, err := g.Search(c.query, c.limit)
		var got []string
		for _, m := range found {
			got = append(got, m.Address)
		}
		if diff := gocmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("Search(%q): error %v (-want +got)\n%s", c.query, err, diff)
		}
	}
}

func FuzzGeocode(f *testing.F) {
	n := town(f)
	g := NewGeocoder(NewIndex(n))
	for _, s := range []string{"8210 35th Ave NE, Seattle, WA 98115", "100 Main St", "a 1,2,3", "1-2-3 x, y", "\xff 12 É", "12 İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		m, err := g.Geocode(query)
		if err == nil && (!n.Check(m.At) || m.Address == "" || !utf8.ValidString(m.Address)) {
			t.Errorf("Geocode(%q) = %+v", query, m)
		}
		if err != nil {
			if _, ok := errors.AsType[*fault.Error](err); !ok {
				t.Errorf("Geocode(%q): unclassified error %v", query, err)
			}
		}
		if found, err := g.Search(query, 3); err == nil && len(found) > 3 {
			t.Errorf("Search(%q) gives %d, want 3 at most", query, len(found))
		}
	})
}
