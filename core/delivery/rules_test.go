package delivery

import (
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/setting"
)

func clockTime(n int) clock.Time { return clock.Time(n) }

func TestDefaultSettings(t *testing.T) {
	if errs := setting.Problems("delivery", DefaultSettings()); errs != nil {
		t.Errorf("the defaults have problems: %v", errs)
	}
	for _, f := range setting.Fields(DefaultSettings()) {
		if f.Doc == "" || f.Type != "string" && (f.Min == "" || f.Max == "") {
			t.Errorf("%s lacks a sentence or bounds: %+v", f.Path, f)
		}
	}
	tests := []struct {
		change func(*Settings)
		want   string
	}{
		{func(s *Settings) { s.PickupWaitMax = s.PickupWait }, "delivery.pickup_wait_max: 10m is not above pickup_wait (10m)"},
		{func(s *Settings) { s.AskEvery, s.RetryEvery = 5*clock.Second, clock.Minute }, "delivery.ask_every: 5s is below retry_every (1m)"},
		{func(s *Settings) { s.Pricing.Currency = "usd" }, `delivery.pricing.currency: "usd" is not a currency`},
		{func(s *Settings) { s.QuoteLife = 0 }, "delivery.quote_life: 0s is below 10s"},
	}
	for _, tt := range tests {
		s := DefaultSettings()
		tt.change(&s)
		errs := setting.Problems("delivery", s)
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), tt.want) {
			t.Errorf("problems = %v, want one: %s…", errs, tt.want)
		}
	}
}

func TestPrice(t *testing.T) {
	p := DefaultSettings().Pricing
	p.SmallOrder = 1000
	tests := []struct {
		route int64
		value Money
		want  Money
		parts int
	}{
		{0, 5000, 975, 1},
		{5 * mileMM, 5000, 975, 1},
		{5*mileMM + 1, 5000, 975 + 75, 2},
		{6 * mileMM, 5000, 975 + 75, 2},
		{6*mileMM + 1, 5000, 975 + 150, 2},
		{0, 999, 975 + 200, 2},
		{0, 1000, 975, 1},
		{7 * mileMM, 1, 975 + 150 + 200, 3},
	}
	for _, tt := range tests {
		got := Price(p, tt.route, tt.value)
		if sum(got) != tt.want || len(got) != tt.parts {
			t.Errorf("Price(%d mm, %d cents) = %v, want %d in %d parts", tt.route, tt.value, got, tt.want, tt.parts)
		}
	}
}

// base is a delivery promised for minutes 10 (15) and 30 (40), 12 of whose 20 minutes are driving.
func base(s State) Delivery {
	m := func(n int) clock.Time { return clock.Time(n) * clock.Time(clock.Minute) }
	p := Promise{m(10), m(15), m(30), m(40)}
	return Delivery{State: s, Promise: p, Expected: p, Trip: 20 * clock.Minute, RouteTime: 12 * clock.Minute, ReadyAt: m(5), Robot: "r1",
		Custody: []Custody{{"r1", m(20), "loaded"}}}
}

func TestForesee(t *testing.T) {
	m := func(n int) clock.Time { return clock.Time(n) * clock.Time(clock.Minute) }
	tests := []struct {
		name   string
		state  State
		change func(*Delivery)
		now    int
		want   [4]int // minutes
	}{
		{"as promised while waiting", Requested, func(*Delivery) {}, 2, [4]int{10, 15, 30, 40}},
		{"pushed by time while waiting", Requested, func(*Delivery) {}, 12, [4]int{12, 17, 32, 42}},
		{"as Dispatch expects", Assigned, func(d *Delivery) { d.PickupAt = m(8) }, 2, [4]int{8, 13, 28, 38}},
		{"not before now", ToPickup, func(d *Delivery) { d.PickupAt = m(8) }, 9, [4]int{9, 14, 29, 39}},
		{"not before the goods", Assigned, func(d *Delivery) { d.PickupAt, d.ReadyAt = m(8), m(20) }, 2, [4]int{8, 13, 40, 50}},
		{"at the pickup the spread of getting there is gone", AtPickup, func(d *Delivery) { d.Times.AtPickup = m(9) }, 11, [4]int{9, 9, 31, 36}},
		{"loaded", Loaded, func(d *Delivery) { d.Times.AtPickup = m(9) }, 20, [4]int{9, 9, 36, 41}},
		{"on the way", ToDropoff, func(d *Delivery) { d.Times.AtPickup = m(9) }, 39, [4]int{9, 9, 39, 44}},
		{"at the door", AtDropoff, func(d *Delivery) { d.Times.AtPickup, d.Since = m(9), m(33) }, 33, [4]int{9, 9, 37, 42}},
		{"takeover", ToDropoff, func(d *Delivery) { d.Times.AtPickup, d.Transfer, d.PickupAt = m(9), &Transfer{}, m(50) }, 40, [4]int{9, 9, 66, 71}},
		{"delivered", Delivered, func(d *Delivery) { d.Times.AtPickup, d.Times.Ended = m(9), m(35) }, 35, [4]int{9, 9, 35, 35}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := base(tt.state)
			tt.change(&d)
			want := Promise{m(tt.want[0]), m(tt.want[1]), m(tt.want[2]), m(tt.want[3])}
			if got := d.foresee(m(tt.now)); got != want {
				t.Errorf("foresee = %+v, want %+v", got, want)
			}
		})
	}
}

func TestSmallDelaysAddUp(t *testing.T) {
	d := base(Requested)
	d.Robot, d.Custody = "", nil
	told := 0
	for minute := 9; minute <= 20; minute++ {
		tr := &turn{d: &d, now: clock.Time(minute) * clock.Time(clock.Minute), set: DefaultSettings(), changed: true}
		tr.close()
		told += len(tr.updates)
	}
	if told != 2 {
		t.Errorf("ten minutes late told in %d updates, want 2: one for each time that more than 3 minutes came together", told)
	}
}

func TestDue(t *testing.T) {
	s := DefaultSettings()
	m := func(n int) clock.Time { return clock.Time(n) * clock.Time(clock.Minute) }
	away := &Transfer{Since: m(3)}
	tests := []struct {
		name string
		what string
		d    Delivery
		want clock.Time
	}{
		{"quote", timerExpire, Delivery{State: Quoted, ExpiresAt: 7}, 7},
		{"accepted", timerExpire, Delivery{State: Requested, ExpiresAt: 7}, 0},
		{"asked", timerAsk, Delivery{State: Requested, Asked: true, AskedAt: m(1)}, m(3)},
		{"not asked", timerAsk, Delivery{State: Requested}, 0},
		{"asked for a relief", timerAsk, Delivery{State: ToDropoff, Transfer: away, Asked: true, AskedAt: m(1)}, m(3)},
		{"relief on its way", timerAsk, Delivery{State: ToDropoff, Transfer: away, Asked: true, AskedAt: m(1), Robot: "r2"}, 0},
		{"assigned", timerStart, Delivery{State: Assigned, Since: m(2)}, m(8)},
		{"loaded", timerStart, Delivery{State: Loaded, Since: m(2)}, m(8)},
		{"on its way", timerStart, Delivery{State: ToPickup, Since: m(2)}, 0},
		{"relief not heard of", timerStart, Delivery{State: Loaded, Transfer: away, Robot: "r2", PickupAt: m(9)}, m(15)},
		{"relief heard of", timerStart, Delivery{State: Loaded, Transfer: away, Robot: "r2", PickupAt: m(9), TaskSeq: 1}, 0},
		{"at the merchant", timerRemind, Delivery{State: AtPickup, Since: m(10), ReadyAt: m(5)}, m(20)},
		{"before the goods", timerRemind, Delivery{State: AtPickup, Since: m(10), ReadyAt: m(12)}, m(22)},
		{"reminded", timerRemind, Delivery{State: AtPickup, Since: m(10), Reminded: true}, 0},
		{"merchant", timerPickup, Delivery{State: AtPickup, Since: m(10), ReadyAt: m(12)}, m(37)},
		{"merchant says tomorrow", timerPickup, Delivery{State: AtPickup, Since: m(10), ReadyAt: m(1440)}, m(60)},
		{"merchant is loading", timerPickup, Delivery{State: AtPickup, Since: m(10), Exchange: m(34)}, m(37)},
		{"recipient", timerDropoff, Delivery{State: AtDropoff, Since: m(10)}, m(20)},
		{"recipient is there", timerDropoff, Delivery{State: AtDropoff, Since: m(10), Exchange: m(19)}, m(22)},
		{"recipient was there", timerDropoff, Delivery{State: AtDropoff, Since: m(10), Exchange: m(11)}, m(20)},
		{"goods wait for a relief", timerDropoff, Delivery{State: AtDropoff, Since: m(10), Transfer: away}, 0},
		{"already sent back", timerDropoff, Delivery{State: AtDropoff, Since: m(10), GoingBack: "x"}, 0},
		{"return", timerReturn, Delivery{State: AtReturn, Since: m(10)}, m(30)},
		{"takeover", timerTransfer, Delivery{State: ToDropoff, Transfer: away}, m(48)},
		{"takeover assigned", timerTransfer, Delivery{State: ToDropoff, Transfer: away, Robot: "r2"}, 0},
		{"late", timerLate, Delivery{State: ToDropoff, LateSince: m(10)}, m(20)},
		{"late, given up", timerLate, Delivery{State: ToDropoff, LateSince: m(10), Transfer: away}, 0},
		{"not late", timerLate, Delivery{State: ToDropoff}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.what+"/"+tt.name, func(t *testing.T) {
			if got := tt.d.due(tt.what, s); got != tt.want {
				t.Errorf("due = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	good := func() Delivery {
		d := base(ToDropoff)
		d.ID, d.Sequence, d.Attempt, d.Token, d.Times = "d1", 3, 1, 5, Times{Quoted: 1, Requested: 2, Assigned: 3, AtPickup: 4, Loaded: 5}
		d.FeeParts, d.Fee = []FeePart{{FlatFee, 975}}, 975
		return d
	}
	if errs := good().Check(); errs != nil {
		t.Fatalf("a good delivery: %v", errs)
	}
	tests := []struct {
		change func(*Delivery)
		want   string
	}{
		{func(d *Delivery) { d.State = "flying" }, "no such state"},
		{func(d *Delivery) { d.Sequence = 0 }, "has no update"},
		{func(d *Delivery) { d.Fee++ }, "fee 976 is not the sum"},
		{func(d *Delivery) { d.UnloadPIN = "12a4" }, "a PIN is not four digits"},
		{func(d *Delivery) { d.CancelReason = ByCreator }, "cancelled for"},
		{func(d *Delivery) { d.Times.Loaded = 3 }, "times are out of order"},
		{func(d *Delivery) { d.Times.Ended = 9 }, "ended at 9"},
		{func(d *Delivery) { d.Times.Loaded = 0 }, "carried, but never loaded"},
		{func(d *Delivery) { d.Expected.PickupP90 = 0 }, "a P50 is above its P90"},
		{func(d *Delivery) { d.Robot, d.Token = "", 0 }, "has no carrier"},
		{func(d *Delivery) { d.Token = 0 }, `robot "r1" has token 0`},
		{func(d *Delivery) { d.Robot, d.Token, d.Task, d.Transfer = "", 0, "t", &Transfer{From: "r1"} }, "task t has no robot"},
		{func(d *Delivery) { d.Custody = nil }, "nobody ever had the goods"},
		{func(d *Delivery) { d.Robot = "r2" }, "r1 has the goods, but r2 carries them"},
		{func(d *Delivery) { d.Transfer = &Transfer{From: "r9"} }, "but r9 is to hand them over"},
		{func(d *Delivery) { d.Debts, d.Owed = 1, []Debt{{Number: 2}} }, "debt 2 is out of order"},
		{func(d *Delivery) { *d = Delivery{State: Quoted, Sequence: 1, Attempt: 1} }, "a quote has attempt 1"},
		{func(d *Delivery) { *d = Delivery{State: Requested, Sequence: 1} }, "waits for a robot, with attempt 0"},
		{func(d *Delivery) {
			*d = Delivery{State: Requested, Sequence: 1, Attempt: 1, Transfer: &Transfer{}}
		}, "a takeover of goods that nobody carries"},
	}
	for _, tt := range tests {
		d := good()
		tt.change(&d)
		if errs := d.Check(); len(errs) == 0 || !strings.Contains(joined(errs), tt.want) {
			t.Errorf("Check = %v, want %q", errs, tt.want)
		}
	}
}

func joined(errs []error) string {
	var b strings.Builder
	for _, err := range errs {
		b.WriteString(err.Error() + "\n")
	}
	return b.String()
}
