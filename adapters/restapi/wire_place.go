package restapi

import (
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/maps"
)

// The types wire… are the schemas of openapi/*.yaml. Each has a function that
// makes it from the core's type, and one that makes the core's type from it.

type wirePoint struct {
	LatE7 int32 `json:"lat_e7"`
	LonE7 int32 `json:"lon_e7"`
}

func pointTo(p *maps.Point) *wirePoint {
	if p == nil {
		return nil
	}
	return &wirePoint{LatE7: p.Lat, LonE7: p.Lon}
}

func (w *wirePoint) core() *maps.Point {
	if w == nil {
		return nil
	}
	return &maps.Point{Lat: w.LatE7, Lon: w.LonE7}
}

type wirePosition struct {
	Edge     int32 `json:"edge"`
	OffsetMM int32 `json:"offset_mm"`
}

func positionTo(p maps.Position) wirePosition {
	return wirePosition{Edge: int32(p.Edge), OffsetMM: p.OffsetMM}
}

func (w wirePosition) core() maps.Position {
	return maps.Position{Edge: maps.EdgeID(w.Edge), OffsetMM: w.OffsetMM}
}

type wirePlace struct {
	Address string     `json:"address,omitempty"`
	Point   *wirePoint `json:"point,omitempty"`
}

func placeTo(p dispatch.Place) wirePlace { return wirePlace{p.Address, pointTo(p.Point)} }

func (w wirePlace) core() dispatch.Place {
	return dispatch.Place{Address: w.Address, Point: w.Point.core()}
}

type wireLoad struct {
	LengthMM int32 `json:"length_mm"`
	WidthMM  int32 `json:"width_mm"`
	HeightMM int32 `json:"height_mm"`
	Grams    int32 `json:"grams"`
}

func (w wireLoad) core() fleet.Load { return fleet.Load(w) }

type wirePromise struct {
	PickupP50  instant `json:"pickup_p50,omitzero"`
	PickupP90  instant `json:"pickup_p90,omitzero"`
	DropoffP50 instant `json:"dropoff_p50,omitzero"`
	DropoffP90 instant `json:"dropoff_p90,omitzero"`
}

func promiseTo(p delivery.Promise) wirePromise {
	return wirePromise{instant(p.PickupP50), instant(p.PickupP90), instant(p.DropoffP50), instant(p.DropoffP90)}
}

func (w wirePromise) core() delivery.Promise {
	return delivery.Promise{PickupP50: clock.Time(w.PickupP50), PickupP90: clock.Time(w.PickupP90),
		DropoffP50: clock.Time(w.DropoffP50), DropoffP90: clock.Time(w.DropoffP90)}
}

type wireRefusal struct {
	Reason       string     `json:"reason"`
	Detail       string     `json:"detail"`
	NearestTime  instant    `json:"nearest_time,omitzero"`
	MeetingPoint *wirePoint `json:"meeting_point,omitempty"`
}

func refusalTo(r *dispatch.Refusal) *wireRefusal {
	if r == nil {
		return nil
	}
	return &wireRefusal{r.Reason, r.Detail, instant(r.NearestTime), pointTo(r.MeetingPoint)}
}

func (w *wireRefusal) core() dispatch.Refusal {
	return dispatch.Refusal{Reason: w.Reason, Detail: w.Detail, NearestTime: clock.Time(w.NearestTime), MeetingPoint: w.MeetingPoint.core()}
}

type wireEstimateRequest struct {
	Pickup  wirePlace `json:"pickup"`
	Dropoff wirePlace `json:"dropoff"`
	Load    wireLoad  `json:"load"`
	ReadyAt instant   `json:"ready_at,omitzero"`
}

func estimateRequestTo(r dispatch.EstimateRequest) wireEstimateRequest {
	return wireEstimateRequest{placeTo(r.Pickup), placeTo(r.Dropoff), wireLoad(r.Load), instant(r.ReadyAt)}
}

type wireEstimate struct {
	Refusal *wireRefusal `json:"refusal,omitempty"`
	Pickup  wirePosition `json:"pickup"`
	Dropoff wirePosition `json:"dropoff"`
	wirePromise
	RouteMM int64 `json:"route_mm"`
	RouteMS int64 `json:"route_ms"`
}

func estimateTo(e dispatch.Estimate) wireEstimate {
	return wireEstimate{Refusal: refusalTo(e.Refusal), Pickup: positionTo(e.Pickup), Dropoff: positionTo(e.Dropoff),
		wirePromise: wirePromise{instant(e.PickupP50), instant(e.PickupP90), instant(e.DropoffP50), instant(e.DropoffP90)},
		RouteMM:     e.RouteMM, RouteMS: int64(e.RouteTime)}
}

func (w wireEstimate) core() dispatch.Estimate {
	e := dispatch.Estimate{Pickup: w.Pickup.core(), Dropoff: w.Dropoff.core(), PickupP50: clock.Time(w.PickupP50), PickupP90: clock.Time(w.PickupP90),
		DropoffP50: clock.Time(w.DropoffP50), DropoffP90: clock.Time(w.DropoffP90), RouteMM: w.RouteMM, RouteTime: clock.Duration(w.RouteMS)}
	if w.Refusal != nil {
		r := w.Refusal.core()
		e.Refusal = &r
	}
	return e
}

type wireMatch struct {
	Address     string       `json:"address"`
	Point       wirePoint    `json:"point"`
	At          wirePosition `json:"at"`
	OffMM       int32        `json:"off_mm"`
	Approximate bool         `json:"approximate"`
}

func matchTo(m maps.Match) wireMatch {
	return wireMatch{m.Address, *pointTo(&m.Point), positionTo(m.At), m.OffMM, m.Approximate}
}

func (w wireMatch) core() maps.Match {
	return maps.Match{Address: w.Address, Point: *w.Point.core(), At: w.At.core(), OffMM: w.OffMM, Approximate: w.Approximate}
}

// each converts a slice; nothing stays nothing.
func each[A, B any](all []A, to func(A) B) []B {
	if all == nil {
		return nil
	}
	out := make([]B, len(all))
	for i := range all {
		out[i] = to(all[i])
	}
	return out
}

// list is each for arrays that are always there.
func list[A, B any](all []A, to func(A) B) []B {
	if len(all) == 0 {
		return []B{}
	}
	return each(all, to)
}
