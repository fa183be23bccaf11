package maps

// Turn is what to do at the beginning of a step.
type Turn string

// The turns.
const (
	Start       Turn = "start"
	Straight    Turn = "straight"
	SlightRight Turn = "slight right"
	Right       Turn = "right"
	SharpRight  Turn = "sharp right"
	TurnRound   Turn = "turn round"
	SharpLeft   Turn = "sharp left"
	Left        Turn = "left"
	SlightLeft  Turn = "slight left"
)

// Step is one direction for people: keep to one way until the next turn.
type Step struct {
	Turn     Turn    `json:"turn"`
	Heading  int     `json:"heading"` // degrees clockwise from north where the step begins
	Name     string  `json:"name"`    // of the way, or of the street crossed; may be empty
	Class    Class   `json:"class"`
	Control  Control `json:"control"` // of a crossing
	LengthMM int64   `json:"mm"`
	Millis   int64   `json:"ms"`
	At       Point   `json:"at"` // where it begins
}

// Steps returns r as directions for people. Pieces of the same name and class
// make one step unless the way turns sharply.
func (n *Network) Steps(r Route) []Step {
	var steps []Step
	heading := 0 // at the end of the piece before
	for i, p := range r.Pieces {
		e := &n.Edges[p.Edge]
		start := Position{p.Edge, p.FromMM}
		step := Step{
			Turn: Start, Heading: n.Heading(start), Name: n.Names[e.Name], Class: e.Class, Control: e.Control,
			LengthMM: int64(p.ToMM - p.FromMM), Millis: int64(p.Millis), At: n.PointAt(start),
		}
		if i > 0 {
			step.Turn = turnBetween(heading, step.Heading)
		}
		heading = n.Heading(Position{p.Edge, p.ToMM})
		if i > 0 && step.continues(&steps[len(steps)-1]) {
			last := &steps[len(steps)-1]
			last.LengthMM += step.LengthMM
			last.Millis += step.Millis
			continue
		}
		steps = append(steps, step)
	}
	return steps
}

// tooShort is the length below which nobody would see a turn, such as between
// two points of a kerb ramp.
const tooShort = 3000 // mm

// continues reports whether s is more of the same way as last. A crossing is
// cut where it meets the roadway's centre: what has no control is the rest of one.
// Otherwise each crossing is a step of its own.
func (s *Step) continues(last *Step) bool {
	if s.Class == Crossing {
		return last.Class == Crossing && s.Control == ControlNone
	}
	if last.Class == Crossing {
		return false
	}
	if s.LengthMM < tooShort || last.LengthMM < tooShort && last.Turn != Start {
		return true
	}
	gentle := s.Turn == Straight || s.Turn == SlightLeft || s.Turn == SlightRight
	return gentle && s.Name == last.Name && s.Class == last.Class
}

// turnBetween returns the turn from one heading to another.
func turnBetween(from, to int) Turn {
	turns := [...]Turn{Straight, SlightRight, Right, SharpRight, TurnRound, SharpLeft, Left, SlightLeft}
	by := ((to-from)%360 + 360) % 360
	switch {
	case by < 20 || by > 340:
		return Straight
	case by > 165 && by < 195:
		return TurnRound
	case by < 180:
		return turns[min(1+(by-20)/40, 3)]
	default:
		return turns[8-min(1+(340-by)/40, 3)]
	}
}

// Along returns where a robot is after mm millimetres of r, 0 <= mm <= its
// length; beyond the ends it is at the end.
func (n *Network) Along(r Route, mm int64) (Position, Point) {
	at := r.From
	for _, p := range r.Pieces {
		length := int64(p.ToMM - p.FromMM)
		at = Position{p.Edge, p.FromMM + int32(min(max(mm, 0), length))}
		if mm <= length {
			break
		}
		mm -= length
	}
	return at, n.PointAt(at)
}

// AlongMillis is Along by time: where a robot is expected to be ms after it set
// out. Waiting and kerbs are spread over their piece.
func (n *Network) AlongMillis(r Route, ms int64) (Position, Point) {
	at := r.From
	for _, p := range r.Pieces {
		if ms < int64(p.Millis) {
			done := mulDiv(int64(p.ToMM-p.FromMM), max(ms, 0), int64(p.Millis))
			at = Position{p.Edge, p.FromMM + int32(done)}
			break
		}
		at = Position{p.Edge, p.ToMM}
		ms -= int64(p.Millis)
	}
	return at, n.PointAt(at)
}
