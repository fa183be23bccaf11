package maps

import "footway/core/clock"

// minSpeedMMS keeps times finite where factors multiply to nearly nothing.
const minSpeedMMS = 50

// Speed returns how fast a robot goes on e in mm/s when factor permille of its
// speed are left to it by what happens now; 1000 is all of it.
func (p *Profile) Speed(e *Edge, factor int32) int32 {
	v := int64(min(p.SpeedMMS, p.cap(e.Class)))
	v = v * int64(p.pace(e.Surface)) / 1000
	v = v * int64(p.slope(e)) / 1000
	v = v * int64(factor) / 1000
	return int32(max(v, minSpeedMMS))
}

func (p *Profile) cap(c Class) int32 {
	switch c {
	case Sidewalk:
		return p.Caps.Sidewalk
	case Crossing:
		return p.Caps.Crossing
	case Path:
		return p.Caps.Path
	case Shared:
		return p.Caps.Shared
	default:
		return p.Caps.Kerb
	}
}

func (p *Profile) pace(s Surface) int32 {
	switch s {
	case SurfaceSmooth:
		return p.Surfaces.Smooth
	case SurfacePaved:
		return p.Surfaces.Paved
	case SurfaceRough:
		return p.Surfaces.Rough
	case SurfaceLoose:
		return p.Surfaces.Loose
	case SurfaceSoft:
		return p.Surfaces.Soft
	default:
		return p.Surfaces.Unknown
	}
}

// slope returns the share of the speed left by e's incline, in permille.
func (p *Profile) slope(e *Edge) int32 {
	rise := p.rise(e)
	if rise >= 0 {
		return max(1000-rise*p.Grade.ClimbLoss/10, 100)
	}
	return max(1000+rise*p.Grade.DropLoss/10, 100)
}

// Wait returns how long a robot is expected to wait before it may set out on e,
// if e is a crossing: at a signal the mean for a robot that comes at any moment.
func (p *Profile) Wait(e *Edge) clock.Duration {
	c := &p.Crossing
	switch e.Control {
	case ControlSignal:
		red := int64(c.SignalCycle - c.SignalGreen)
		return clock.Duration(red * red / (2 * int64(c.SignalCycle)))
	case ControlZebra:
		return c.ZebraWait
	case ControlUnmarked:
		switch {
		case e.Street >= StreetPrimary:
			return c.PrimaryWait
		case e.Street == StreetSecondary:
			return c.SecondaryWait
		case e.Street == StreetTertiary:
			return c.TertiaryWait
		}
		return c.ResidentWait
	default:
		return 0
	}
}

// KerbTime returns the time lost at the kerb at the end of e.
func (p *Profile) KerbTime(e *Edge) clock.Duration {
	switch e.Kerb {
	case KerbUnknown:
		return p.Kerbs.Unknown
	case KerbFlush:
		return p.Kerbs.Flush
	case KerbLowered:
		return p.Kerbs.Lowered
	case KerbRolled:
		return p.Kerbs.Rolled
	case KerbRaised:
		return p.Kerbs.Raised
	default:
		return 0
	}
}

// DriveMillis returns the time in ms to drive along e with factor permille of
// the speed, without waiting and kerbs; at least 1.
func (p *Profile) DriveMillis(e *Edge, factor int32) int64 {
	v := int64(p.Speed(e, factor))
	return max((int64(e.LengthMM)*1000+v/2)/v, 1)
}

// cost returns what e counts for in the choice of the way, in ms: the driving
// time times preferences, the waits as they are, and the risk taken.
func (p *Profile) cost(e *Edge, drive int64) int64 {
	c := drive * int64(p.preference(e)) / 1000
	if e.Flags&Inferred != 0 {
		c = c * int64(p.Prefer.Inferred) / 1000
	}
	if e.Flags&Unlit != 0 {
		c = c * int64(p.Prefer.Unlit) / 1000
	}
	c += c * int64(p.unknowns(e, Penalise)) * int64(p.Unknown.Penalty) / 1000
	return c + int64(p.Wait(e)) + int64(p.KerbTime(e)) + int64(p.risk(e))
}

func (p *Profile) preference(e *Edge) int32 {
	switch e.Class {
	case Sidewalk:
		return p.Prefer.Sidewalk
	case Crossing:
		return p.Prefer.Crossing
	case Path:
		return p.Prefer.Path
	case KerbStep:
		return p.Prefer.Kerb
	}
	switch e.Street {
	case StreetNone, StreetPedestrian, StreetLiving:
		return p.Prefer.Living
	case StreetService:
		return p.Prefer.Service
	case StreetResidential:
		return p.Prefer.Residential
	default:
		return p.Prefer.Busy
	}
}

func (p *Profile) risk(e *Edge) clock.Duration {
	var d clock.Duration
	switch e.Control {
	case ControlSignal:
		d = p.Crossing.SignalRisk
	case ControlZebra:
		d = p.Crossing.ZebraRisk
	case ControlUnmarked:
		d = p.Crossing.UnmarkedRisk
	}
	if e.Kerb == KerbRaised {
		d += p.Kerbs.Help
	}
	return d
}

// RollMicroWh returns the energy in µWh that mm of e take: rolling and climbing,
// without what runs all the time.
func (p *Profile) RollMicroWh(e *Edge, mm int64) int64 {
	energy := mm * int64(p.Energy.DriveMWhKM) / 1000
	if rise := p.rise(e); rise > 0 {
		energy += mm * int64(rise) / 1000 * int64(p.Energy.ClimbMWhM)
	}
	return energy
}

// microWh returns the energy in µWh that e takes when it lasts millis, with
// what runs all the time. One mW for one ms is 1/3600 µWh.
func (p *Profile) microWh(e *Edge, millis int64) int64 {
	return p.RollMicroWh(e, int64(e.LengthMM)) + millis*int64(p.Energy.StandbyMW)/3600
}
