package recipient

import (
	"net/http"
	"time"

	"footway/core/delivery"
)

// phase is what matters to who waits for a delivery.
type phase string

const (
	preparing phase = "preparing" // the goods are not on their way yet
	coming    phase = "coming"
	here      phase = "here"
	delivered phase = "delivered"
	back      phase = "back" // it goes back, or is back
	cancelled phase = "cancelled"
)

// phaseOf returns the phase of a delivery.
func phaseOf(s delivery.State) phase {
	switch s {
	case delivery.Loaded, delivery.ToDropoff:
		return coming
	case delivery.AtDropoff:
		return here
	case delivery.Delivered:
		return delivered
	case delivery.Returning, delivery.AtReturn, delivery.Returned:
		return back
	case delivery.Cancelled:
		return cancelled
	}
	return preparing
}

// view is what a page shows.
type view struct {
	T        *words
	Problem  string // why there is no delivery to show; "" if there is one
	Delivery told
	Track    track
	Phase    phase
	Now      time.Time
	Zone     *time.Location
	Said     string // what came of a button
	Opening  bool   // the hatch opens, or is open
	// Where things are.
	Link, Map, Tiles, Phone string
	Here                    string // this page's address in another language

	path string // of the delivery on the API
}

// look asks the API how the delivery of a request's link is. The view it returns can be shown even if it fails.
func (p *Pages) look(r *http.Request) (*view, error) {
	token := r.PathValue("token")
	v := &view{T: languageOf(r), Now: p.o.Clock.Now().Std(), Zone: time.UTC, Link: p.o.Path + "/" + token, Map: p.o.Map, Tiles: p.o.Tiles, Phone: p.o.Phone}
	id, ok := p.o.Delivery(token)
	if !ok {
		return v, errNoLink
	}
	v.path = p.ref(id)
	var got found
	if err := p.call(r.Context(), token, http.MethodGet, v.path, nil, &got); err != nil {
		return v, err
	}
	v.Delivery, v.Phase, v.Zone = got.Delivery, phaseOf(got.Delivery.State), p.o.Zone(got.Delivery.Market)
	if v.Phase == here || v.Phase == coming || v.Phase == preparing {
		if err := p.call(r.Context(), token, http.MethodGet, v.path+"/track", nil, &v.Track); err != nil {
			return v, err
		}
	}
	v.Opening = v.Phase == here && !v.Track.OpenedAt.IsZero()
	return v, nil
}

// Steps are the steps of the progress, and which of them is reached.
func (v *view) Steps() []step {
	names := []string{v.T.StepPreparing, v.T.StepComing, v.T.StepHere, v.T.StepDone}
	at := map[phase]int{preparing: 0, coming: 1, here: 2, delivered: 3}[v.Phase]
	steps := make([]step, len(names))
	for i, n := range names {
		steps[i] = step{Name: n, Done: i < at || v.Phase == delivered, Now: i == at && v.Phase != delivered}
	}
	return steps
}

type step struct {
	Name      string
	Done, Now bool
}

// Ends reports whether nothing more will come.
func (v *view) Ends() bool { return v.Delivery.State.Ended() }

// Soon reports whether there is a time to tell.
func (v *view) Soon() bool {
	return (v.Phase == preparing || v.Phase == coming) && !v.Delivery.Expected.DropoffP50.IsZero()
}

// rounded is how exact a time is told.
const rounded = time.Minute

// leastSpread is below what nobody can say when a robot comes, on either side.
const leastSpread = 2 * time.Minute

// From is the beginning of the range in which the delivery will be there: as far before the time that half of all
// such deliveries keep as nine in ten are after it. What has passed is not told.
func (v *view) From() time.Time {
	p50 := v.Delivery.Expected.DropoffP50
	return later(p50.Add(-max(leastSpread, v.Delivery.Expected.DropoffP90.Sub(p50))).Truncate(rounded), v.Now.Truncate(rounded))
}

// To is the end of the range, rounded up: nine in ten are there by then.
func (v *view) To() time.Time {
	to := later(v.Delivery.Expected.DropoffP90, v.Delivery.Expected.DropoffP50.Add(leastSpread))
	if whole := to.Truncate(rounded); whole.Before(to) {
		to = whole.Add(rounded)
	}
	return later(to, v.From().Add(leastSpread))
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Range is the range on a clock.
func (v *view) Range() string { return v.T.between(v.From().In(v.Zone), v.To().In(v.Zone)) }

// InMinutes is the range from now on.
func (v *view) InMinutes() string {
	minutes := func(t time.Time) int { return max(0, int((t.Sub(v.Now)+rounded-1)/rounded)) }
	return v.T.inMinutes(minutes(v.From()), minutes(v.To()))
}

// Late reports whether it comes clearly later than was promised.
func (v *view) Late() bool {
	const clearly = 5 * time.Minute
	p := v.Delivery.Promise
	return v.Soon() && !p.DropoffP90.IsZero() && v.Delivery.Expected.DropoffP50.After(p.DropoffP90.Add(clearly))
}

// Promised is the range that was told first.
func (v *view) Promised() string {
	return v.T.between(v.Delivery.Promise.DropoffP50.In(v.Zone), v.Delivery.Promise.DropoffP90.In(v.Zone))
}

// Silent reports whether nothing was heard of the robot for a while, and for how many minutes.
func (v *view) Silent() bool { return v.SilentMinutes() >= 2 }

// SilentMinutes is how long nothing was heard of the robot.
func (v *view) SilentMinutes() int {
	if v.Track.Robot == nil || v.Ends() {
		return 0
	}
	return int(v.Now.Sub(v.Track.Robot.HeardAt) / time.Minute)
}

// Clock is an instant on the clock where the delivery is.
func (v *view) Clock(t time.Time) string { return v.T.clock(t.In(v.Zone)) }

// Left is how long the robot still waits, as on a stop-watch.
func (v *view) Left() string { return stopwatch(v.Track.WaitsUntil.Sub(v.Now)) }

// MayNotCome reports whether the recipient can still say that nobody will take the goods.
func (v *view) MayNotCome() bool {
	return (v.Phase == coming || v.Phase == here) && v.Delivery.GoingBack == ""
}

// Disposes reports whether goods that nobody takes are thrown away.
func (v *view) Disposes() bool { return v.Delivery.IfUndeliverable == delivery.Dispose }

// Relieved reports whether another robot took the goods over on the way.
func (v *view) Relieved() bool { return len(v.Delivery.Custody) > 1 && !v.Ends() }

// RFC is an instant for programs.
func (v *view) RFC(t time.Time) string { return t.UTC().Format(time.RFC3339) }
