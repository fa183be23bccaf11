package grpcapi

import (
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// each converts a list; the result of none is nil.
func each[A, B any](list []A, convert func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(list[i])
	}
	return out
}

func positionTo(p maps.Position) *pb.Position {
	return &pb.Position{Edge: int32(p.Edge), OffsetMm: p.OffsetMM}
}

func positionFrom(p *pb.Position) maps.Position {
	return maps.Position{Edge: maps.EdgeID(p.GetEdge()), OffsetMM: p.GetOffsetMm()}
}

func loadTo(l fleet.Load) *pb.Load {
	return &pb.Load{LengthMm: l.LengthMM, WidthMm: l.WidthMM, HeightMm: l.HeightMM, Grams: l.Grams}
}

func loadFrom(l *pb.Load) fleet.Load {
	return fleet.Load{LengthMM: l.GetLengthMm(), WidthMM: l.GetWidthMm(), HeightMM: l.GetHeightMm(), Grams: l.GetGrams()}
}

func robotTo(r fleet.Robot) *pb.Robot {
	return &pb.Robot{
		Id: string(r.ID), Market: string(r.Market), Account: string(r.Account), Kind: string(r.Kind), Capability: loadTo(r.Capability),
		CapacityMwh: r.CapacityMWh, SpeedMmS: r.SpeedMMS, Home: positionTo(r.Home), State: string(r.State), StateSinceMs: int64(r.StateSince),
		Before: string(r.Before), Trip: r.Trip, Reservation: reservationTo(r.Reservation), LastToken: r.LastToken, Revision: r.Revision,
	}
}

func robotFrom(r *pb.Robot) fleet.Robot {
	return fleet.Robot{
		ID: fleet.RobotID(r.GetId()), Market: market.ID(r.GetMarket()), Account: fleet.AccountID(r.GetAccount()), Kind: fleet.Kind(r.GetKind()),
		Capability: loadFrom(r.GetCapability()), CapacityMWh: r.GetCapacityMwh(), SpeedMMS: r.GetSpeedMmS(), Home: positionFrom(r.GetHome()),
		State: fleet.State(r.GetState()), StateSince: clock.Time(r.GetStateSinceMs()), Before: fleet.State(r.GetBefore()), Trip: r.GetTrip(),
		Reservation: reservationFrom(r.GetReservation()), LastToken: r.GetLastToken(), Revision: r.GetRevision(),
	}
}

func reservationTo(r *fleet.Reservation) *pb.Reservation {
	if r == nil {
		return nil
	}
	return &pb.Reservation{Holder: r.Holder, Token: r.Token, Attempt: r.Attempt, Dock: string(r.Dock), ExpiresMs: int64(r.Expires)}
}

func reservationFrom(r *pb.Reservation) *fleet.Reservation {
	if r == nil {
		return nil
	}
	return &fleet.Reservation{Holder: r.GetHolder(), Token: r.GetToken(), Attempt: r.GetAttempt(), Dock: fleet.DockID(r.GetDock()), Expires: clock.Time(r.GetExpiresMs())}
}

func telemetryTo(t fleet.Telemetry) *pb.Telemetry {
	return &pb.Telemetry{
		Robot: string(t.Robot), AtMs: int64(t.At), Position: positionTo(t.Position), ChargeMwh: t.ChargeMWh, SpeedMmS: t.SpeedMMS,
		Activity: string(t.Activity), Mode: string(t.Mode), Loaded: t.Loaded, Dock: string(t.Dock), Fault: t.Fault, Token: t.Token,
	}
}

func telemetryFrom(t *pb.Telemetry) fleet.Telemetry {
	return fleet.Telemetry{
		Robot: fleet.RobotID(t.GetRobot()), At: clock.Time(t.GetAtMs()), Position: positionFrom(t.GetPosition()), ChargeMWh: t.GetChargeMwh(),
		SpeedMMS: t.GetSpeedMmS(), Activity: fleet.Activity(t.GetActivity()), Mode: fleet.Mode(t.GetMode()), Loaded: t.GetLoaded(),
		Dock: fleet.DockID(t.GetDock()), Fault: t.GetFault(), Token: t.GetToken(),
	}
}

// maxText bounds what a robot may write for people, in bytes.
const maxText = 200

// checkTelemetry returns what is wrong with a robot's word, which nobody behind
// this door looks at again.
func checkTelemetry(t fleet.Telemetry) error {
	bad := func(format string, args ...any) error {
		return fault.New("grpcapi.Telemetry", fault.Invalid, "bad_telemetry", "robot %s: "+format, append([]any{t.Robot}, args...)...)
	}
	switch t.Activity {
	case fleet.Idle, fleet.Driving, fleet.AtStop, fleet.Charging, fleet.Halted, fleet.Broken:
	default:
		return bad("activity is %q; want idle, driving, at_stop, charging, halted or broken", clip(string(t.Activity), 32))
	}
	switch t.Mode {
	case fleet.Automatic, fleet.Intervened, fleet.Manual, fleet.Servicing:
	default:
		return bad("mode is %q; want AUTOMATIC, INTERVENED, MANUAL or SERVICE", clip(string(t.Mode), 32))
	}
	switch {
	case t.At <= 0:
		return bad("at is %d ms; want when it was so, after 1970", t.At)
	case t.ChargeMWh < 0 || t.SpeedMMS < 0:
		return bad("charge of %d mWh at %d mm/s; want neither below 0", t.ChargeMWh, t.SpeedMMS)
	case t.Position.Edge < maps.NoEdge || t.Position.OffsetMM < 0:
		return bad("position is %d mm along edge %d; want neither below its beginning", t.Position.OffsetMM, t.Position.Edge)
	case len(t.Fault) > maxText || len(t.Dock) > maxText:
		return bad("fault of %d bytes and dock of %d; want at most %d", len(t.Fault), len(t.Dock), maxText)
	}
	return nil
}

func candidateTo(c fleet.Candidate) *pb.Candidate {
	return &pb.Candidate{Robot: robotTo(c.Robot), Telemetry: telemetryTo(c.Telemetry)}
}

func candidateFrom(c *pb.Candidate) fleet.Candidate {
	return fleet.Candidate{Robot: robotFrom(c.GetRobot()), Telemetry: telemetryFrom(c.GetTelemetry())}
}

func dockTo(d fleet.Dock) *pb.Dock {
	return &pb.Dock{Id: string(d.ID), Market: string(d.Market), Position: positionTo(d.Position), Slots: int64(d.Slots), PowerMw: d.PowerMW}
}

func dockFrom(d *pb.Dock) fleet.Dock {
	return fleet.Dock{ID: fleet.DockID(d.GetId()), Market: market.ID(d.GetMarket()), Position: positionFrom(d.GetPosition()), Slots: int(d.GetSlots()), PowerMW: d.GetPowerMw()}
}

func accountTo(a fleet.Account) *pb.Account {
	return &pb.Account{Id: string(a.ID), Name: a.Name, CredentialRef: a.CredentialRef, MaxRobots: int64(a.MaxRobots), Suspended: a.Suspended}
}

func accountFrom(a *pb.Account) fleet.Account {
	return fleet.Account{ID: fleet.AccountID(a.GetId()), Name: a.GetName(), CredentialRef: a.GetCredentialRef(), MaxRobots: int(a.GetMaxRobots()), Suspended: a.GetSuspended()}
}

func orderTo(o fleet.Order) *pb.Order {
	return &pb.Order{Robot: string(o.Robot), Token: o.Token, Kind: string(o.Kind), Dock: string(o.Dock), To: positionTo(o.To)}
}

func orderFrom(o *pb.Order) fleet.Order {
	return fleet.Order{Robot: fleet.RobotID(o.GetRobot()), Token: o.GetToken(), Kind: fleet.OrderKind(o.GetKind()), Dock: fleet.DockID(o.GetDock()), To: positionFrom(o.GetTo())}
}

func reserveTo(r fleet.ReserveRequest) *pb.ReserveRequest {
	return &pb.ReserveRequest{Robot: string(r.Robot), Holder: r.Holder, Attempt: r.Attempt, Dock: string(r.Dock), UntilMs: int64(r.Until)}
}

func reserveFrom(r *pb.ReserveRequest) fleet.ReserveRequest {
	return fleet.ReserveRequest{
		Robot: fleet.RobotID(r.GetRobot()), Holder: r.GetHolder(), Attempt: r.GetAttempt(), Dock: fleet.DockID(r.GetDock()), Until: clock.Time(r.GetUntilMs()),
	}
}
