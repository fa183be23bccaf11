package osm

import "testing"

func TestRealExtracts(t *testing.T) {
	for _, name := range []string{"seattle-wedgwood", "baltimore", "london-northern-line", "helsinki-centre", "delaware"} {
		t.Run(name, func(t *testing.T) {
			_, r := importFile(t, name)
			if err := r.WriteText(t.Output()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
