package maps

import "footway/core/market"

// Metric returns the metric in force on the market's map.
func (s *Service) Metric(m market.ID) (*Metric, error) {
	p, err := s.place(m)
	if err != nil {
		return nil, err
	}
	return p.source.Metric(), nil
}

// Fingerprint returns a number made of everything that the lengths, times and choices of ways
// depend on: processes that would answer alike have the same one, whatever their Version, and
// others almost surely another. It looks at every edge, so callers keep it.
func (m *Metric) Fingerprint() uint64 {
	h := uint64(len(m.net.Nodes))
	mix := func(v uint64) {
		h = (h ^ v) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	for i := range m.net.Edges {
		e := &m.net.Edges[i]
		mix(uint64(uint32(e.From))<<32 | uint64(uint32(e.To)))
		mix(uint64(uint32(e.LengthMM))<<32 | uint64(uint32(e.Reverse)))
		mix(uint64(m.weight[i]))
		mix(uint64(uint32(m.millis[i]))<<32 | uint64(uint32(m.drive[i])))
		mix(uint64(m.energy[i]))
	}
	return h
}
