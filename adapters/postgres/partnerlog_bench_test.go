package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"footway/adapters/postgres"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/porttest/fake"
)

// wave returns the update of one number of each delivery of a group: what the
// broker brings when many deliveries go on at once. Their partners are ten.
func wave(group, size int, sequence uint64) []delivery.Update {
	all := make([]delivery.Update, size)
	for i := range all {
		all[i] = delivery.Update{
			Delivery: delivery.ID(fmt.Sprintf("0195a1b2-c3d4-7e5f-%04d-%012d", group, i)), Sequence: sequence, Kind: delivery.StateChanged,
			At: fake.Start, Market: "wedgwood", Partner: delivery.PartnerID(fmt.Sprint("partner-", i%10)), ExternalID: fmt.Sprintf("order-%d-%d", group, i),
			From: delivery.Loaded, To: delivery.ToDropoff, Robot: "r17", Attempt: 1, ReadyAt: fake.Start, Fee: 975, Tip: 200, RouteMM: 1_234_567, Store: "Deli",
			Promise:  delivery.Promise{PickupP50: fake.Start, PickupP90: fake.Start, DropoffP50: fake.Start, DropoffP90: fake.Start},
			Expected: delivery.Promise{PickupP50: fake.Start, PickupP90: fake.Start, DropoffP50: fake.Start, DropoffP90: fake.Start},
		}
	}
	return all
}

// BenchmarkTake has new updates only. Takers are consumers that run at once; each has deliveries of its own, all the same partners.
func BenchmarkTake(b *testing.B) {
	for _, size := range []int{1, 200} {
		for _, takers := range []int{1, 8} {
			b.Run(fmt.Sprintf("batch=%d/takers=%d", size, takers), func(b *testing.B) {
				l := postgres.NewPartnerLog(fresh(b, postgres.Integrations), fake.NewClock(fake.Start))
				var group atomic.Int64
				b.SetParallelism((takers + 1) / 2) // of two processors
				b.RunParallel(func(pb *testing.PB) {
					const groups = 10 // of deliveries that go on in turn
					mine := int(group.Add(1)) * groups
					for i := 0; pb.Next(); i++ {
						if err := l.Take(b.Context(), wave(mine+i%groups, size, uint64(i/groups+1))...); err != nil {
							b.Fatal(err)
						}
					}
				})
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "updates/s")
			})
		}
	}
}

// BenchmarkEntries reads a log in pages of 200.
func BenchmarkEntries(b *testing.B) {
	l := postgres.NewPartnerLog(fresh(b, postgres.Integrations), fake.NewClock(fake.Start))
	for sequence := range uint64(20) {
		if err := l.Take(b.Context(), wave(0, 200, sequence+1)...); err != nil {
			b.Fatal(err)
		}
	}
	var last integration.Entry
	n := 0
	for b.Loop() {
		page, err := l.Entries(b.Context(), "partner-3", last.Position%400, 200)
		if err != nil || len(page) != 200 {
			b.Fatalf("%d entries, %v; want 200", len(page), err)
		}
		last, n = page[199], n+len(page)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}
