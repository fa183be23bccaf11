package restapi

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"footway/adapters/memory"
	"footway/adapters/wallclock"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/market"
	"footway/core/porttest"
)

// nowhere is a journal that forgets.
type nowhere struct{}

func (nowhere) Append(context.Context, event.Event) {}

// atomicIDs are names for many callers at once.
type atomicIDs struct{ n atomic.Int64 }

func (i *atomicIDs) NewID(kind string) string { return fmt.Sprintf("%s-%d", kind, i.n.Add(1)) }

// benchCommands returns a service over memory stores, and a client of it on loopback.
func benchCommands(b *testing.B) (*delivery.Service, *DeliveriesClient) {
	b.Helper()
	town, store := porttest.NewDeliveriesTown(), memory.NewDeliveryStore()
	d := town.Deps(store, memory.NewCursors(), nowhere{})
	d.IDs, d.Clock, d.Timers = &atomicIDs{}, wallclock.Clock{}, wallclock.NewTimers()
	d.Settings = func(market.ID) delivery.Settings { return delivery.DefaultSettings() }
	s := delivery.NewService(d)
	a := NewDeliveries(DeliveriesDeps{Quotes: s, Changes: s, Doors: s, Board: store, Estimates: town, Clock: d.Clock, Bell: NewBell()},
		Options{Auth: auth(), Log: slog.New(slog.DiscardHandler)})
	c, err := NewDeliveriesClient(serve(b, a, a), ClientOptions{Token: secret(integrationsToken)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return s, c
}

// BenchmarkDeliveries measures a quote, its acceptance and a look at it, by
// function call and through HTTP on loopback, client and server in one process.
func BenchmarkDeliveries(b *testing.B) {
	for _, callers := range []int{1, 32} {
		for _, way := range []string{"call", "http"} {
			for _, what := range []string{"quote", "accept", "get"} {
				b.Run(fmt.Sprintf("%s/%s/%d", way, what, callers), func(b *testing.B) {
					s, c := benchCommands(b)
					var commands Quotes = s
					if way == "http" {
						commands = c
					}
					benchQuotes(b, s, commands, what, callers)
				})
			}
		}
	}
}

func benchQuotes(b *testing.B, s *delivery.Service, commands Quotes, what string, callers int) {
	ctx := context.Background()
	if what != "quote" {
		for i := range b.N {
			if _, err := s.Quote(ctx, porttest.QuoteFor("p", fmt.Sprint(i))); err != nil {
				b.Fatal(err)
			}
		}
	}
	do := func(id string) (err error) {
		switch what {
		case "quote":
			_, err = commands.Quote(ctx, porttest.QuoteFor("p", id))
		case "accept":
			_, err = commands.Accept(ctx, "p", id, delivery.AcceptRequest{})
		default:
			_, _, err = commands.Get(ctx, "p", id)
		}
		return err
	}
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				start := time.Now()
				if err := do(fmt.Sprint(i)); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(start)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
