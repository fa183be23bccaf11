package maps

import "fmt"

// Problems returns what is wrong between fields of p, each error beginning with
// the dotted path of the field under path. Single fields are checked against their tags.
func (p Profile) Problems(path string) []error {
	if c := p.Crossing; c.SignalGreen > c.SignalCycle {
		return []error{fmt.Errorf("%s.crossing.signal_green: %v is above signal_cycle (%v); want at most that", path, c.SignalGreen, c.SignalCycle)}
	}
	return nil
}
