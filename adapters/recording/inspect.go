package recording

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"

	"footway/core/clock"
)

// Count is how often something occurs.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Hour is the deliveries asked for in one hour.
type Hour struct {
	From       clock.Time `json:"from"`
	Deliveries int        `json:"deliveries"`
}

// Report is what Inspect finds in a recording.
type Report struct {
	Requests   int        `json:"requests"`
	First      clock.Time `json:"first"`
	Last       clock.Time `json:"last"`
	Partners   []Count    `json:"partners"`   // by name
	Operations []Count    `json:"operations"` // most frequent first
	Deliveries int        `json:"deliveries"` // asked for: different ids quoted or created
	Accepted   int        `json:"accepted"`   // of them accepted, or created without a quote
	Cancelled  int        `json:"cancelled"`  // of them with an attempt to cancel
	Stores     int        `json:"stores"`     // registered in the recording
	Repeats    int        `json:"repeats"`    // quotes and creations sent again as they were
	Conflicts  int        `json:"conflicts"`  // sent again under a taken id with another body
	Malformed  int        `json:"malformed"`  // bodies that are no JSON object
	NoID       int        `json:"no_id"`      // quotes and creations without an id
	UnknownIDs int        `json:"unknown_ids"`
	// Stores that are named but were never registered, with how often.
	UnknownStores []Count `json:"unknown_stores"`
	Hours         []Hour  `json:"hours"` // from first to last, without gaps
}

// AcceptShare returns the share of deliveries that were accepted, in permille.
func (r *Report) AcceptShare() int { return share(r.Accepted, r.Deliveries) }

// CancelShare returns the share of accepted deliveries with an attempt to cancel, in permille.
func (r *Report) CancelShare() int { return share(r.Cancelled, r.Accepted) }

func share(part, whole int) int {
	if whole == 0 {
		return 0
	}
	return part * 1000 / whole
}

// Inspect reads a recording to its end and says what is in it.
func Inspect(r *Reader) (*Report, error) {
	i := inspector{partners: map[string]int{}, operations: map[string]int{}, asked: map[string][]byte{}, accepted: map[string]bool{}, cancelled: map[string]bool{},
		stores: map[string]bool{}, unknown: map[string]int{}, hours: map[clock.Time]int{}}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return i.done(), nil
		}
		if err != nil {
			return nil, err
		}
		i.add(&e)
	}
}

// inspector gathers a report; its keys begin with the partner's name.
type inspector struct {
	Report
	partners, operations map[string]int
	asked                map[string][]byte // the first body of each delivery
	accepted, cancelled  map[string]bool
	stores               map[string]bool
	unknown              map[string]int
	hours                map[clock.Time]int
}

func (i *inspector) add(e *Request) {
	if i.Requests == 0 {
		i.First = e.At
	}
	i.Requests++
	i.Last = e.At
	op := operation(e.Method, e.Path)
	i.partners[e.Partner]++
	i.operations[op]++
	if trimmed := bytes.TrimSpace(e.Body); len(trimmed) > 0 && (trimmed[0] != '{' || !json.Valid(trimmed)) {
		i.Malformed++
		return
	}
	id := e.Partner + "/" + e.about()
	_, known := i.asked[id]
	switch op {
	case opQuote, opCreate:
		i.order(e, op)
	case opCreateStore:
		i.stores[e.Partner+"/"+segment(e.Path, 4)+"/"+e.texts("external_store_id")[0]] = true
	case opAccept, opCancel, opUpdate:
		if !known {
			i.UnknownIDs++
		}
		if op == opAccept {
			i.accepted[id] = i.accepted[id] || known
		}
		if op == opCancel {
			i.cancelled[id] = i.cancelled[id] || known
		}
	}
}

// order takes in a request for a quote or a delivery.
func (i *inspector) order(e *Request, op string) {
	f := e.texts("external_delivery_id", "pickup_external_business_id", "pickup_external_store_id")
	if store := e.Partner + "/" + f[1] + "/" + f[2]; f[2] != "" && !i.stores[store] {
		i.unknown[store]++
	}
	if f[0] == "" {
		i.NoID++
		return
	}
	id := e.Partner + "/" + f[0]
	first, again := i.asked[id]
	switch {
	case !again:
		i.asked[id] = e.Body
		i.hours[e.At-e.At%clock.Time(clock.Hour)]++
	case bytes.Equal(first, e.Body):
		i.Repeats++
	default:
		i.Conflicts++
	}
	if op == opCreate {
		i.accepted[id] = true
	}
}

func (i *inspector) done() *Report {
	r := &i.Report
	r.Deliveries, r.Accepted, r.Cancelled, r.Stores = len(i.asked), holding(i.accepted), holding(i.cancelled), len(i.stores)
	r.Partners, r.Operations, r.UnknownStores = counts(i.partners), counts(i.operations), counts(i.unknown)
	slices.SortStableFunc(r.Operations, func(a, b Count) int { return cmp.Compare(b.Count, a.Count) })
	r.Hours = []Hour{}
	if hours := slices.Sorted(maps.Keys(i.hours)); len(hours) > 0 && hours[len(hours)-1].Sub(hours[0]) < 1000*clock.Hour {
		for h := hours[0]; h <= hours[len(hours)-1]; h = h.Add(clock.Hour) {
			r.Hours = append(r.Hours, Hour{h, i.hours[h]})
		}
	}
	return r
}

func holding(m map[string]bool) (n int) {
	for _, holds := range m {
		if holds {
			n++
		}
	}
	return n
}

// counts returns m ordered by name.
func counts(m map[string]int) []Count {
	list := make([]Count, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, Count{name, m[name]})
	}
	return list
}
