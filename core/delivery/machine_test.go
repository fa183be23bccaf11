package delivery

import (
	"slices"
	"strings"
	"testing"

	"footway/core/fault"
)

var states = []State{Quoted, Requested, Assigned, ToPickup, AtPickup, Loaded, ToDropoff, AtDropoff, Delivered, Returning, AtReturn, Returned, Cancelled}

// ways is the machine as the design draws it, one state a line.
const ways = `
quoted     > requested cancelled
requested  > assigned cancelled
assigned   > to_pickup requested cancelled
to_pickup  > at_pickup requested cancelled
at_pickup  > loaded requested cancelled
loaded     > to_dropoff cancelled
to_dropoff > at_dropoff returning cancelled
at_dropoff > delivered returning cancelled
returning  > at_return cancelled
at_return  > returned cancelled
delivered  >
returned   >
cancelled  >
`

func TestMoveEveryPair(t *testing.T) {
	allowed := map[State][]string{}
	for line := range strings.Lines(strings.TrimSpace(ways)) {
		from, to, _ := strings.Cut(line, ">")
		allowed[State(strings.TrimSpace(from))] = strings.Fields(to)
	}
	if len(allowed) != len(states) {
		t.Fatalf("the table has %d states, want %d", len(allowed), len(states))
	}
	for _, from := range states {
		for _, to := range states {
			d := Delivery{ID: "d1", State: from, Sequence: 4, Robot: "r1"}
			reason := Reason("")
			if to == Cancelled {
				reason = anyReason(from)
			}
			before := d.Clone()
			u, err := d.move(to, 7, "cause", reason)
			if want := slices.Contains(allowed[from], string(to)); (err == nil) != want {
				t.Errorf("move %s to %s = %v, want allowed: %v", from, to, err, want)
			}
			if err != nil {
				if !fault.Is(err, fault.Conflict) || !same(before, d) || d.Revision != before.Revision {
					t.Errorf("move %s to %s = %v (a %v), and left %+v; want a conflict and no change", from, to, err, fault.KindOf(err), d)
				}
				continue
			}
			if d.State != to || d.Since != 7 || u.From != from || u.To != to || u.Sequence != 5 || d.Sequence != 5 || u.Cause != "cause" || u.Reason != reason {
				t.Errorf("move %s to %s made %+v and told %+v", from, to, d, u)
			}
			if d.State.Ended() != (d.Times.Ended == 7) {
				t.Errorf("move %s to %s: ended at %d", from, to, d.Times.Ended)
			}
		}
	}
}

func anyReason(from State) Reason {
	if all := reasons[from]; len(all) > 0 {
		return all[0]
	}
	return ByCreator
}

func TestCancelReasons(t *testing.T) {
	want := map[Reason][]State{
		ByCreator:       {Quoted, Requested, Assigned, ToPickup, AtPickup},
		FailedToAssign:  {Requested, Assigned, ToPickup, AtPickup},
		FailedToPickup:  {AtPickup},
		FailedToDeliver: {Loaded, ToDropoff, AtDropoff},
		FailedToReturn:  {Returning, AtReturn},
		"":              nil,
		"other":         nil,
	}
	for reason, from := range want {
		for _, s := range states {
			d := Delivery{State: s}
			_, err := d.move(Cancelled, 1, "", reason)
			if ok := slices.Contains(from, s); (err == nil) != ok {
				t.Errorf("cancel %s for %q = %v, want allowed: %v", s, reason, err, ok)
			}
			if err == nil && d.CancelReason != reason {
				t.Errorf("cancel %s for %q left the reason %q", s, reason, d.CancelReason)
			}
		}
	}
	d := Delivery{State: Requested}
	if _, err := d.move(Assigned, 1, "", FailedToAssign); err == nil {
		t.Error("a move that is no cancellation took a reason")
	}
}

func TestMoveTimes(t *testing.T) {
	d := Delivery{State: Quoted, Times: Times{Quoted: 1}, Robot: "r1"}
	for i, to := range []State{Requested, Assigned, ToPickup, AtPickup, Requested, Assigned, ToPickup, AtPickup, Loaded, ToDropoff, AtDropoff, Returning} {
		if _, err := d.move(to, clockTime(10*(i+1)), "", ""); err != nil {
			t.Fatal(err)
		}
		if to == Requested && (d.Times.Assigned != 0 || d.Times.AtPickup != 0) {
			t.Errorf("a lost attempt left its times: %+v", d.Times)
		}
	}
	want := Times{Quoted: 1, Requested: 10, Assigned: 60, AtPickup: 80, Loaded: 90, AtDropoff: 110}
	if d.Times != want {
		t.Errorf("times = %+v, want %+v", d.Times, want)
	}
	if len(d.Custody) != 1 || d.Custody[0] != (Custody{"r1", 90, "loaded"}) {
		t.Errorf("custody = %v", d.Custody)
	}
}

func TestStateSets(t *testing.T) {
	for _, s := range states {
		n := 0
		for _, in := range []bool{s == Quoted, s.BeforeLoaded(), s.Carried(), s.Ended()} {
			if in {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is in %d of quoted, before loaded, carried, ended; want exactly one", s, n)
		}
		if s.Ended() != (len(next[s]) == 0) {
			t.Errorf("%s: ended is %v, but it leads to %v", s, s.Ended(), next[s])
		}
	}
}

func TestAdvance(t *testing.T) {
	d := Delivery{State: Assigned, Robot: "r1"}
	tr := &turn{d: &d, now: 5}
	if err := tr.advance(outward, Loaded); err != nil || len(tr.updates) != 3 || d.State != Loaded {
		t.Errorf("advance assigned to loaded = %v, %d updates, now %s; want 3 updates", err, len(tr.updates), d.State)
	}
	if err := tr.advance(outward, AtPickup); err != nil || len(tr.updates) != 3 {
		t.Errorf("advance to what lies behind = %v, %d updates; want nothing", err, len(tr.updates))
	}
	if err := tr.advance(homeward, Returned); !fault.Is(err, fault.Conflict) {
		t.Errorf("advance on another way = %v, want a conflict", err)
	}
}
