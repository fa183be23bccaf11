package maps

import (
	"slices"
	"strconv"
	"strings"
)

// addressQuery is a query taken apart.
type addressQuery struct {
	number houseNumber
	street []string // words in short form; may go on with unit and place where there is no comma
	rest   []string // words behind the first comma that follows the street
}

// parseQuery takes a query apart: number and street up to the first comma, in
// either order, then the place.
func parseQuery(query string) (addressQuery, bool) {
	line, rest, _ := strings.Cut(query, ",")
	ws := shorten(words(line))
	if len(ws) == 1 { // "8210, 35th Ave NE, Seattle"
		line, rest, _ = strings.Cut(rest, ",")
		ws = append(ws, shorten(words(line))...)
	}
	q := addressQuery{rest: shorten(words(rest))}
	if len(ws) < 2 {
		return q, false
	}
	if n, ok := parseNumber(ws[0]); ok {
		q.number, q.street = n, ws[1:]
		if _, ranged := parseNumber(ws[1]); ranged && strings.Contains(line, "-") && len(ws) > 2 {
			q.street = ws[2:] // "10-14 High Street" is looked for as 10
		}
		return q, true
	}
	for i := len(ws) - 1; i > 0; i-- {
		if n, ok := parseNumber(ws[i]); ok {
			q.number, q.street = n, ws[:i]
			q.rest = append(ws[i+1:len(ws):len(ws)], q.rest...)
			return q, true
		}
	}
	return q, false
}

// findStreet returns the street with the longest name that q's words begin
// with, and the words behind it.
func (g *Geocoder) findStreet(q addressQuery) (street int, rest []string, ok bool) {
	for n := len(q.street); n > 0; n-- {
		key := strings.Join(q.street[:n], " ")
		i, found := slices.BinarySearchFunc(g.streets, key, func(s streetEntry, key string) int {
			return strings.Compare(s.key, key)
		})
		if found {
			return i, slices.Clone(q.street[n:]), true
		}
	}
	return 0, nil, false
}

// locality is what a query says of where its street is.
type locality struct {
	city     string // key of a city of the network, or ""
	postcode string // key of a postcode of the network, or ""
}

// readPlace finds a city and a postcode of the network in the words behind the
// street. It fails if they name a place, but none that the network has.
func (g *Geocoder) readPlace(ws []string) (locality, bool) {
	var p locality
	joined := " " + strings.Join(ws, " ") + " "
	for _, c := range g.cities {
		if strings.Contains(joined, " "+c+" ") && len(c) > len(p.city) {
			p.city = c
		}
	}
	for i, w := range ws {
		for _, code := range []string{w, w + wordAt(ws, i+1)} { // "98115", or "SW1A 1AA" in two words
			if _, found := slices.BinarySearch(g.postcodes, code); found {
				p.postcode = code
			}
		}
	}
	if p.city != "" || p.postcode != "" || len(g.cities) == 0 && len(g.postcodes) == 0 {
		return p, true
	}
	return p, !namesPlace(ws)
}

// namesPlace reports whether ws says more than a unit, a state or a country.
func namesPlace(ws []string) bool {
	for i := 0; i < len(ws); i++ {
		switch ws[i] {
		case "apt", "apartment", "unit", "suite", "ste", "floor", "fl", "room", "rm", "no":
			i++ // and its number
		case "usa", "united", "states", "uk", "kingdom", "of", "america":
		default:
			if len(ws[i]) > 2 {
				return true
			}
		}
	}
	return false
}

func wordAt(ws []string, i int) string {
	if i < len(ws) {
		return ws[i]
	}
	return ""
}

// ranked is a house of a street with how well its place agrees with the query's.
type ranked struct {
	house
	rank int
}

// housesIn returns the houses of a street that may be in the place: where one
// of city and postcode differs from the map's, the other must agree with it.
func (g *Geocoder) housesIn(street int, p locality) []ranked {
	s := g.streets[street]
	var out []ranked
	for _, h := range g.houses[s.first:s.last] {
		city, code := agree(p.city, h.city), agree(p.postcode, h.postcode)
		if city+code >= 0 {
			out = append(out, ranked{h, city + code})
		}
	}
	return out
}

// agree returns 1 if two keys are the same, -1 if they differ, and 0 if one is not known.
func agree(a, b string) int {
	switch {
	case a == "" || b == "":
		return 0
	case a == b:
		return 1
	}
	return -1
}

func itoa(v int32) string { return strconv.Itoa(int(v)) }
