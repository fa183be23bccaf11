package kpi

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"footway/core/delivery"
	"footway/core/runlog"
)

func TestSkimReadsWhatJSONReads(t *testing.T) {
	want := delivery.Update{
		Kind: delivery.StateChanged, To: delivery.Cancelled, Partner: `Zo"ë`, ExternalID: "a\\b{[", Store: "], }", Robot: "r1", RouteMM: -7,
		Reason: delivery.ByCreator, Cause: "<&>", ReadyAt: 12, Promise: delivery.Promise{PickupP50: 1, PickupP90: 2, DropoffP50: 3, DropoffP90: 4},
	}
	var got delivery.Update
	if err := readUpdate(&got, must(t, want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("update (-want +got):\n%s", diff)
	}
	leg := runlog.Leg{Robot: "r1", Purpose: runlog.ToDropoff, Delivery: "d1", Loaded: true, Times: []int32{1, 20, 2147483647},
		Waits: []runlog.Hold{{Index: 1, Millis: 5, Cause: "gap"}}, ChargeFromMWh: 9, ChargeToMWh: 8, LengthMM: 77}
	var read runlog.Leg
	if err := readLeg(&read, must(t, leg)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(leg, read); diff != "" {
		t.Errorf("leg (-want +got):\n%s", diff)
	}
}

func must(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzSkim gives skim any JSON object as encoding/json writes it: it must find the same.
func FuzzSkim(f *testing.F) {
	f.Add([]byte(`{"times":[1,2],"purpose":"pi\"ck{","x":{"y":["}"]},"loaded":true,"length_mm":-3}`))
	f.Add([]byte(`{"times":null}`))
	f.Add([]byte(`{`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got runlog.Leg
		_ = readLeg(&got, b) // anything may come: no crash
		var object map[string]json.RawMessage
		if json.Unmarshal(b, &object) != nil || object == nil {
			return
		}
		var want runlog.Leg
		if json.Unmarshal(must(t, object), &want) != nil {
			return
		}
		want.Route, want.StartMM, want.EndMM = nil, 0, 0
		got = runlog.Leg{}
		// Names in other case, and values that are null, only encoding/json takes.
		for name, v := range object {
			if string(v) == "null" || !known[name] {
				return
			}
		}
		if err := readLeg(&got, must(t, object)); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-json +skim):\n%s", b, diff)
		}
	})
}

var known = map[string]bool{
	"robot": true, "purpose": true, "delivery": true, "loaded": true, "times": true, "waits": true,
	"charge_from_mwh": true, "charge_to_mwh": true, "length_mm": true,
}
