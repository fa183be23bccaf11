package system_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"footway/adapters/recording"
	"footway/core/clock"
	"footway/core/maps"
	"footway/core/rng"
	generated "footway/sim/city"
)

// What identifies people in these orders, and must be in no log.
const (
	personName  = "Philippa"
	personPhone = "+12065550187"
	personNote  = "the door behind the yellow bicycle"
)

// pace is how much faster a recording is sent than it was taken.
const pace = 20

// recorded returns a recording of a partner's traffic: orders, with all that partners do to them, at even distances
// over a time. It was written and read as recordings are.
func recorded(t testing.TB, seed uint64, orders int, over time.Duration) []recording.Request {
	t.Helper()
	network, err := generated.Generate(rng.Seed(1), generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{rand: rand.New(rand.NewPCG(seed, 1)), network: network}
	for i := range orders {
		w.order(i, time.Duration(i)*over/time.Duration(orders))
	}
	slices.SortStableFunc(w.all, func(a, b recording.Request) int { return int(a.At - b.At) })
	var file bytes.Buffer
	out := recording.NewWriter(&file)
	for _, r := range w.all {
		if err := out.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	all, err := recording.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// writer makes requests up.
type writer struct {
	rand    *rand.Rand
	network *maps.Network
	all     []recording.Request
}

// began is when the recording was taken, long ago.
var began = time.Date(2026, 6, 12, 11, 0, 0, 0, time.UTC)

func (w *writer) add(after time.Duration, method, path string, body any) {
	r := recording.Request{At: clock.Of(began.Add(after)), Partner: tenant, Method: method, Path: path, Headers: map[string]string{"Content-Type": "application/json"}}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err) // it is plain values
		}
		r.Body = text
	}
	w.all = append(w.all, r)
}

// order is one order with what its partner does to it: by its number, so that every kind is there.
func (w *writer) order(n int, at time.Duration) {
	id := fmt.Sprintf("order-%04d", n)
	order := w.way()
	order["external_delivery_id"] = id
	order["order_value"], order["tip"] = 1500+w.rand.IntN(3000), 100*w.rand.IntN(5)
	order["dropoff_phone_number"], order["dropoff_contact_given_name"], order["dropoff_instructions"] = personPhone, personName, personNote
	order["items"] = []map[string]any{{"name": "soup", "quantity": 1 + w.rand.IntN(3), "weight": 1.1, "length": 5, "width": 5, "height": 3}}
	quote, delivery := "/drive/v2/quotes", "/drive/v2/deliveries/"+id
	sec := func(s int) time.Duration { return at + time.Duration(s)*time.Second }
	if n%5 == 4 {
		w.add(sec(0), http.MethodPost, "/drive/v2/deliveries", order)
	} else {
		w.add(sec(0), http.MethodPost, quote, order)
		if n%16 == 9 {
			return // nobody accepts it
		}
		w.add(sec(2+w.rand.IntN(10)), http.MethodPost, quote+"/"+id+"/accept", map[string]any{"tip": 300})
	}
	switch {
	case n%12 == 5:
		w.add(sec(20), http.MethodPut, delivery+"/cancel", nil)
	case n%8 == 3:
		w.add(sec(20), http.MethodPatch, delivery, map[string]any{"tip": 450})
	case n%8 == 6:
		w.add(sec(25), http.MethodPost, quote+"/"+id+"/accept", map[string]any{"tip": 300}) // once more
	case n%8 == 7:
		w.add(sec(15), http.MethodPatch, delivery, map[string]any{"tip": "much"}) // which is none
	}
	w.add(sec(30), http.MethodGet, delivery, nil)
}

// way is from a merchant of the map to an address not too far from it.
func (w *writer) way() map[string]any {
	const nearest, farthest = 150_000, 500_000 // mm
	for {
		m := &w.network.Merchants[w.rand.IntN(len(w.network.Merchants))]
		a := &w.network.Addresses[w.rand.IntN(len(w.network.Addresses))]
		if d := maps.Distance(m.Point, a.Point); m.Address < 0 || d < nearest || d > farthest {
			continue
		}
		return map[string]any{
			"pickup_address": w.network.Addresses[m.Address].String(), "pickup_business_name": m.Name, "pickup_phone_number": "+12065550100",
			"dropoff_address": a.String(),
		}
	}
}
