package twin_test

import (
	"context"
	"os"
	"testing"

	"footway/adapters/osm"
	"footway/adapters/yamlfile"
	"footway/cmd/twin"
	"footway/core/maps"
	"footway/sim/scenario"
)

// BenchmarkBigDay is 200 robots and about 5,000 deliveries in 12 hours on the
// map of Baltimore (testdata/big-day.yaml).
func BenchmarkBigDay(b *testing.B) {
	doc, err := yamlfile.ReadFile("../../testdata/big-day.yaml")
	if err != nil {
		b.Fatal(err)
	}
	s := scenario.Defaults()
	if err := doc.Decode(&s); err != nil {
		b.Fatal(err)
	}
	s.Fill()
	net := sharedMap(b, "baltimore")
	s.Market.ID = net.Name
	settings, errs := s.Config()
	if len(errs) > 0 {
		b.Fatal(errs)
	}
	for b.Loop() {
		r, err := twin.New(b.Context(), twin.Options{Scenario: s, Network: net, Settings: settings})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.All(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		res := r.Result()
		b.ReportMetric(float64(r.Progress().Accepted), "deliveries")
		b.ReportMetric(res.Sim.Seconds()/(b.Elapsed().Seconds()/float64(max(b.N, 1))), "x-real-time")
		b.ReportMetric(float64(r.Progress().Events), "events")
	}
}

// sharedMap imports an extract that lies beside the project; without it the test is skipped.
func sharedMap(t testing.TB, name string) *maps.Network {
	t.Helper()
	path := "../../../shared/data/osm/" + name + ".osm.pbf"
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("not run, the map is not here: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	n, _, err := osm.Import(context.Background(), name, f, info.Size(), osm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
