package dispatch_test

import (
	"fmt"
	"testing"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/porttest/fake"
)

// BenchmarkRound is a round of 200 robots and 50 requests that wait for their
// time, on a Fleet of its own, five robots of which have moved.
func BenchmarkRound(b *testing.B) {
	w := newWorld(nil)
	for i := range 200 {
		w.addRobot(fleet.RobotID(fmt.Sprintf("r%03d", i)), fleet.KindRobot, at(int32(17*i%1000), int32(29*i%1000)), 1000)
	}
	for i := range 50 {
		q := request(fmt.Sprintf("d%02d", i), at(int32(100*(i%20)), 0), at(900, 0), fake.Start.Add(80*clock.Minute))
		must(w.service.Request(ctx, q))
	}
	round := clock.Key{Service: "dispatch", Entity: string(town), What: "round"}
	must(w.service.Fire(ctx, round))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range 5 {
			r := w.robots[n%200]
			r.t.Position.OffsetMM++
			w.report(r)
			n++
		}
		must(w.service.Fire(ctx, round))
	}
}
