package play

import (
	"cmp"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/core/runlog"
)

// MarkKind is why an event is worth a look.
type MarkKind uint8

// The kinds.
const (
	Late      MarkKind = iota // a delivery that came after its promise
	Stuck                     // a robot that could not go on
	Custody                   // goods that another carrier took over
	Refusal                   // a request that was refused
	Cancelled                 // a delivery that was cancelled
	Trouble                   // a delivery whose carrier failed or whose people did not come
	Trial                     // something that went wrong on purpose
	Gap                       // events that are missing, or another log that begins
	MarkKinds                 // how many there are
)

// String returns the kind in words.
func (k MarkKind) String() string {
	return [...]string{"late delivery", "stuck robot", "custody transfer", "refusal", "cancelled", "trouble", "fault", "gap"}[k]
}

// Mark is an event worth a look.
type Mark struct {
	T      clock.Time
	Seq    uint64
	Kind   MarkKind
	Entity string // the robot or delivery
	Note   string
}

// SpotKind is what a spot counts for on a heat map.
type SpotKind uint8

// The kinds.
const (
	SpotDemand SpotKind = iota // a pickup that was asked for
	SpotLate                   // a drop-off that came late
	SpotStuck                  // a robot that stopped
)

// Spot is something that happened at a place, for heat maps.
type Spot struct {
	T    clock.Time
	Kind SpotKind
	At   maps.Position
}

// Line is an entry of an entity's timeline.
type Line struct {
	T    clock.Time
	Seq  uint64
	What string // in words
	Note string // more of it; may be ""
}

// index is what a scan of the whole log found.
type index struct {
	next       uint64 // event to scan next; 0 before the first
	era        int    // of the one before it
	at         clock.Time
	from       clock.Time // when the first of minutes begins
	marks      []Mark
	spots      []Spot
	minutes    []int // events in each minute
	lines      map[string][]Line
	registered map[string]fleet.Robot
	kpis       *kpi.Collector
	record     *kpi.Run // what kpis says; nil if nobody has asked
	recorded   uint64   // next, then
}

func (x *index) begin() {
	*x = index{lines: make(map[string][]Line), registered: make(map[string]fleet.Robot), kpis: kpi.NewCollector()}
}

// Scan reads on in the log, at least n events where there are as many, so that Marks, Spots,
// Density, Timeline and KPIs know of them. done is true if it has come to the log's end.
func (r *Run) Scan(n int) (done bool, err error) {
	x := &r.index
	blocks := r.log.Blocks()
	if len(blocks) == 0 {
		return true, nil
	}
	x.forget(blocks[0].From)
	i := after(blocks, x.next)
	if x.at > 0 && (i == len(blocks) && x.next > blocks[i-1].Last+1 || i < len(blocks) && blocks[i].First < x.next && blocks[i].Era != x.era) {
		x.next, i = 0, 0 // another log
	}
	for ; i < len(blocks); i++ {
		if n <= 0 {
			return false, nil
		}
		if b := &blocks[i]; x.next < b.First {
			if err := r.skip(b); err != nil {
				return false, err
			}
		}
		events, err := r.log.Events(i)
		if err != nil {
			return false, err
		}
		for k := range events {
			if events[k].Seq >= x.next {
				x.see(&events[k])
				n--
			}
		}
		x.next, x.era = blocks[i].Last+1, blocks[i].Era
	}
	return true, x.kpis.Err()
}

// after returns the index of the block that has an event, or of the one behind it.
func after(blocks []Block, seq uint64) int {
	i, _ := slices.BinarySearchFunc(blocks, seq, func(b Block, seq uint64) int { return cmp.Compare(b.Last, seq) })
	return i
}

// Scanned returns the time up to which Scan has come.
func (r *Run) Scanned() clock.Time { return r.index.at }

// skip goes to a block that does not follow what was scanned: the log begins with it, has forgotten what was before it,
// lacks it, or is another one. What is counted is counted from there on.
func (r *Run) skip(b *Block) error {
	x := &r.index
	s, err := r.log.Seek(b.From)
	if err != nil {
		return err
	}
	gap := Mark{T: b.From, Seq: b.First, Kind: Gap, Note: "another log begins"}
	switch {
	case x.at == 0:
		x.from = b.From
	case b.From < x.from || x.next == 0:
		kept := x.registered
		x.begin()
		x.registered, x.from = kept, b.From
		x.marks = append(x.marks, gap)
	default:
		gap.Note = "nothing is known of " + Short(b.From.Sub(x.at))
		x.marks = append(x.marks, gap)
		x.kpis, x.record = kpi.NewCollector(), nil
	}
	for _, e := range s.Held() {
		if e.Seq < b.First {
			x.kpis.Observe(e)
		}
	}
	x.next, x.era = b.First, b.Era
	return nil
}

// forget drops what was before from, where a log that grows begins now.
func (x *index) forget(from clock.Time) {
	const step = clock.Minute
	n := int(from.Sub(x.from) / step)
	if n <= 0 || x.at == 0 {
		return
	}
	n = min(n, len(x.minutes))
	x.minutes, x.from = slices.Delete(x.minutes, 0, n), x.from.Add(clock.Duration(n)*step)
	x.marks = slices.DeleteFunc(x.marks, func(m Mark) bool { return m.T < x.from })
	x.spots = slices.DeleteFunc(x.spots, func(s Spot) bool { return s.T < x.from })
	//detlint:allow each is cut for itself
	for entity, lines := range x.lines {
		k, _ := slices.BinarySearchFunc(lines, x.from, func(l Line, t clock.Time) int { return cmp.Compare(l.T, t) })
		if k == len(lines) {
			delete(x.lines, entity)
		} else if k > 0 {
			x.lines[entity] = slices.Clone(lines[k:])
		}
	}
}

// see takes the next event into the index.
func (x *index) see(e *event.Event) {
	x.at = max(x.at, e.T)
	x.kpis.Observe(*e)
	minute := max(0, int(e.T.Sub(x.from)/clock.Minute))
	for minute >= len(x.minutes) {
		x.minutes = append(x.minutes, 0)
	}
	x.minutes[minute]++
	service, what, _ := strings.Cut(e.Kind, ".")
	switch service {
	case "delivery":
		x.seeDelivery(e, what)
	case "dispatch":
		x.seeDispatch(e)
	case "task":
		x.seeTask(e, what)
	case "robot", "operator", "fleet":
		x.seeRobot(e)
	case "world":
		x.seeWorld(e)
	}
}

func (x *index) mark(e *event.Event, k MarkKind, entity, note string) {
	x.marks = append(x.marks, Mark{T: e.T, Seq: e.Seq, Kind: k, Entity: entity, Note: note})
}

func (x *index) tell(e *event.Event, entity, what, note string) {
	if entity != "" {
		x.lines[entity] = append(x.lines[entity], Line{T: e.T, Seq: e.Seq, What: what, Note: note})
	}
}

// Marks returns what is worth a look so far, in order. The caller may not change it.
func (r *Run) Marks() []Mark { return r.index.marks }

// Spots returns what happened where so far, in order. The caller may not change it.
func (r *Run) Spots() []Spot { return r.index.spots }

// Density returns how many events there were in each minute from the first event on.
func (r *Run) Density() []int { return r.index.minutes }

// Jump returns the first mark of a kind after t, or the last before it if back.
func (r *Run) Jump(t clock.Time, k MarkKind, back bool) (Mark, bool) {
	marks := r.index.marks
	i, _ := slices.BinarySearchFunc(marks, t, func(m Mark, t clock.Time) int { return cmp.Compare(m.T, t) })
	if back {
		for i--; i >= 0; i-- {
			if marks[i].Kind == k {
				return marks[i], true
			}
		}
		return Mark{}, false
	}
	for ; i < len(marks); i++ {
		if marks[i].Kind == k && marks[i].T > t {
			return marks[i], true
		}
	}
	return Mark{}, false
}

// Timeline returns what happened to a robot or delivery so far, in order. The caller may not change it.
func (r *Run) Timeline(entity string) []Line { return r.index.lines[entity] }

// Find returns the ids of robots and deliveries that begin with text, robots
// first, at most n. An id that is text comes before all others.
func (r *Run) Find(text string, n int) []string {
	var ids []string
	if text == "" {
		return nil
	}
	//detlint:allow they are sorted before anybody sees them
	for id := range r.index.lines {
		if strings.HasPrefix(id, text) {
			ids = append(ids, id)
		}
	}
	for i := range r.state.Robots {
		if id := r.state.Robots[i].ID; strings.HasPrefix(id, text) && r.index.lines[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, ByID)
	return ids[:min(n, len(ids))]
}

// Samples returns how things stood minute by minute, for strip charts.
func (r *Run) Samples() []kpi.Sample {
	all := r.Record().Samples
	i, _ := slices.BinarySearchFunc(all, r.index.from, func(s kpi.Sample, t clock.Time) int { return cmp.Compare(s.T, t) })
	return all[i:]
}

// KPIs returns the numbers of what was scanned so far.
func (r *Run) KPIs() kpi.Result { return kpi.Compute(r.Record()) }

// Record returns what was counted of the run so far, to compare it with another by kpi.Compare. The caller may not change it.
func (r *Run) Record() *kpi.Run {
	x := &r.index
	if x.record == nil || x.recorded != x.next {
		x.record, x.recorded = x.kpis.Run(), x.next
	}
	return x.record
}

func (x *index) seeWorld(e *event.Event) {
	if e.Kind != runlog.WorldFault {
		return
	}
	if f, err := read[runlog.Fault](e); err == nil {
		x.mark(e, Trial, e.Entity, strings.ReplaceAll(f.What, "_", " "))
		x.tell(e, string(f.Robot), "fault: "+strings.ReplaceAll(f.What, "_", " "), "")
	}
}
