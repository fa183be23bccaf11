package maps

// Refusal is why a robot never passes an edge.
type Refusal uint8

// The refusals.
const (
	Passable Refusal = iota
	TooSteep
	TooNarrow
	KerbTooHigh
	UnsafeCrossing // no signal or zebra where the street is too busy to do without
	TooSoft
	Private
	UnknownAttribute // and the profile's policy forbids that
)

var refusalWords = []string{"passable", "too steep", "too narrow", "kerb too high", "unsafe crossing", "too soft", "private", "unknown attribute"}

// String returns the refusal in words, such as "too steep".
func (r Refusal) String() string { return word(refusalWords, uint8(r)) }

// Refuses returns why a robot of profile p can never pass e, or Passable. It
// looks at what the edge is, not at closures and areas.
func (p *Profile) Refuses(e *Edge) Refusal {
	rise := p.rise(e)
	switch {
	case rise > p.Grade.MaxClimb || rise < -p.Grade.MaxDescent:
		return TooSteep
	case e.WidthMM > 0 && e.WidthMM < p.WidthMM+p.MarginMM:
		return TooNarrow
	case e.Kerb.HeightMM() > p.Kerbs.MaxMM:
		return KerbTooHigh
	case e.Control == ControlUnmarked && e.Street > p.Crossing.MaxUnmarked,
		e.Control == ControlZebra && e.Street > p.Crossing.MaxZebra:
		return UnsafeCrossing
	case e.Surface == SurfaceSoft && !p.Soft:
		return TooSoft
	case e.Flags&PrivateAccess != 0 && !p.Private:
		return Private
	case p.unknowns(e, Forbid) > 0:
		return UnknownAttribute
	}
	return Passable
}

// rise returns the slope in the direction of travel, in permille. A way mapped
// as steep without a number has the profile's guess, which never forbids it.
func (p *Profile) rise(e *Edge) int32 {
	if e.Flags&InclineSteep == 0 || e.Flags&InclineKnown != 0 {
		return int32(e.InclinePermille)
	}
	if e.InclinePermille < 0 {
		return -min(p.Grade.Steep, p.Grade.MaxDescent)
	}
	return min(p.Grade.Steep, p.Grade.MaxClimb)
}

// unknowns returns how many of e's attributes are unknown and have policy q.
func (p *Profile) unknowns(e *Edge, q Policy) int32 {
	var n int32
	if e.Surface == SurfaceUnknown && p.Unknown.Surface == q {
		n++
	}
	if e.WidthMM == 0 && p.Unknown.Width == q {
		n++
	}
	if e.Flags&(InclineKnown|InclineSteep) == 0 && e.InclinePermille == 0 && p.Unknown.Incline == q {
		n++
	}
	if e.Kerb == KerbUnknown && p.Unknown.Kerb == q {
		n++
	}
	return n
}
