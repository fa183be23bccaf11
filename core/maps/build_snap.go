package maps

// snapAll places the addresses and merchants on n and leaves out those that
// are too far from it. A merchant whose address is left out keeps none.
func (b *Builder) snapAll(n *Network, report *BuildReport) {
	index := NewIndex(n)
	moved := make([]int32, len(b.addresses)) // new number of each address, or -1
	for i, a := range b.addresses {
		at, off, ok := index.NearestStand(a.Point, SnapLimitMM)
		if !ok {
			moved[i] = -1
			report.Addresses.Far++
			continue
		}
		moved[i] = int32(len(n.Addresses))
		a.At, a.OffMM = at, int32(off)
		n.Addresses = append(n.Addresses, a)
	}
	report.Addresses.Kept = len(n.Addresses)
	for _, m := range b.merchants {
		at, off, ok := index.NearestStand(m.Point, SnapLimitMM)
		if !ok {
			report.Merchants.Far++
			continue
		}
		m.At, m.OffMM = at, int32(off)
		if m.Address >= 0 {
			m.Address = moved[m.Address]
		}
		n.Merchants = append(n.Merchants, m)
	}
	report.Merchants.Kept = len(n.Merchants)
}
