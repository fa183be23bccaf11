package main

import (
	"cmp"
	"slices"
	"strconv"

	"footway/adapters/recording"
	"footway/core/maps"
)

// An address is hidden among a crowd of neighbours: enough that nobody can say
// which one it was, and near, so that ways stay about as long as they were. Where
// houses are few, it is a smaller crowd rather than one from another quarter.
const (
	crowd      = 12
	smallCrowd = 4
	nearbyMM   = 400_000
)

// neighbours finds addresses of a network near those of a recording.
type neighbours struct {
	network  *maps.Network
	geocoder *maps.Geocoder
	known    map[string][]recording.Place
}

var _ recording.Addresses = (*neighbours)(nil)

func newNeighbours(n *maps.Network) *neighbours {
	return &neighbours{network: n, geocoder: maps.NewGeocoder(maps.NewIndex(n)), known: map[string][]recording.Place{}}
}

// Neighbours implements recording.Addresses: the nearest addresses that the map
// finds again by their text, without the one asked for.
func (n *neighbours) Neighbours(address string) []recording.Place {
	if found, ok := n.known[address]; ok {
		return found
	}
	var found []recording.Place
	if match, err := n.geocoder.Geocode(address); err == nil { // otherwise the map does not know it
		found = n.around(match)
	}
	n.known[address] = found
	return found
}

func (n *neighbours) around(match maps.Match) []recording.Place {
	type candidate struct {
		index int
		mm    int64
	}
	all := make([]candidate, len(n.network.Addresses))
	for i := range n.network.Addresses {
		all[i] = candidate{i, maps.Distance(match.Point, n.network.Addresses[i].Point)}
	}
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.mm, b.mm), cmp.Compare(a.index, b.index)) })
	var found []recording.Place
	for _, c := range all {
		if len(found) == crowd || len(found) >= smallCrowd && c.mm > nearbyMM {
			break
		}
		a := &n.network.Addresses[c.index]
		again, err := n.geocoder.Geocode(a.String())
		if err != nil || again.Approximate || again.Address == match.Address || slices.ContainsFunc(found, func(p recording.Place) bool { return p.Address == again.Address }) {
			continue
		}
		found = append(found, recording.Place{Address: again.Address, Lat: decimal(again.Point.Lat), Lng: decimal(again.Point.Lon)})
	}
	return found
}

// decimal writes units of 1e-7 degrees as degrees.
func decimal(units int32) string { return strconv.FormatFloat(float64(units)/1e7, 'f', 7, 64) }
