package porttest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// DeliveryCommands is what Deliveries does for others: delivery.Service, or a client of it.
type DeliveryCommands interface {
	Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Accept(ctx context.Context, p delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error)
	Create(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Get(ctx context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error)
	ByID(ctx context.Context, id delivery.ID) (delivery.Delivery, error)
	Edit(ctx context.Context, p delivery.PartnerID, externalID string, e delivery.Edit) (delivery.Delivery, error)
	Cancel(ctx context.Context, p delivery.PartnerID, externalID, cause string) (delivery.Delivery, error)
	Ready(ctx context.Context, id delivery.ID, at clock.Time) error
	Handoff(ctx context.Context, id delivery.ID, r delivery.HandoffRequest) error
	CannotCome(ctx context.Context, id delivery.ID) error
}

// DeliveriesUnder is a delivery.Service of a town, and how it is reached.
type DeliveriesUnder struct {
	DeliveryCommands
	Town *DeliveriesTown
	Pump func() error // has the service read the feeds
}

// Outside returns of a delivery what others may rely on: Deliveries' own
// bookkeeping, which does not cross a wire, is left out.
func Outside(d delivery.Delivery) delivery.Delivery {
	d.RequestHash, d.LoadPIN, d.Trace, d.ToldAt = "", "", "", 0
	d.Asked, d.AskedAt, d.Token, d.Task, d.TaskSeq, d.Step = false, 0, 0, "", 0, 0
	d.Reminded, d.Exchange, d.Replans, d.Transfer, d.Failed, d.Debts, d.Owed = false, 0, 0, nil, nil, 0, nil
	return d
}

// Deliveries tries the commands of Deliveries. open returns a service over an
// empty store for each case.
func Deliveries(t *testing.T, open func(t *testing.T) DeliveriesUnder) {
	cases := []struct {
		name string
		run  func(*testing.T, DeliveriesUnder)
	}{
		{"a quote is kept", deliveriesQuote},
		{"a repeat finds what is there", deliveriesRepeat},
		{"what is impossible is refused", deliveriesRefused},
		{"what is wrong is refused", deliveriesInvalid},
		{"errors of others keep kind and reason", deliveriesErrors},
		{"accept", deliveriesAccept},
		{"a quote expires", deliveriesExpire},
		{"unknown ones and those of others", deliveriesUnknown},
		{"edit", deliveriesEdit},
		{"edit only what one knows", deliveriesStale},
		{"edit and cancel before it is loaded", deliveriesLoaded},
		{"cancel", deliveriesCancel},
		{"ready", deliveriesReady},
		{"handoff", deliveriesHandoff},
		{"cannot come", deliveriesCannotCome},
		{"odd names", deliveriesOddNames},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// want fails the test on an error, and returns the delivery as others may know it.
func want(t *testing.T, d delivery.Delivery, err error) delivery.Delivery {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return Outside(d)
}

// wantOutcome reports unless err has kind and reason.
func wantOutcome(t *testing.T, what string, err error, k fault.Kind, reason string) {
	t.Helper()
	if !fault.Is(err, k) || fault.ReasonOf(err) != reason {
		t.Errorf("%s: got error %v (reason %q), want kind %v and reason %q", what, err, fault.ReasonOf(err), k, reason)
	}
}

func wantEqual(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func deliveriesQuote(t *testing.T, s DeliveriesUnder) {
	ctx, r := t.Context(), QuoteFor("p", "a")
	d, err := s.Quote(ctx, r)
	d = want(t, d, err)
	if d.State != delivery.Quoted || d.Partner != "p" || d.ExternalID != "a" || d.Fee <= 0 || d.UnloadPIN != "2222" || d.Sequence != 1 || d.Times.Quoted != fake.Start {
		t.Errorf("Quote = %+v, want a quote of now with a fee and a PIN", d)
	}
	got, people, err := s.Get(ctx, "p", "a")
	wantEqual(t, "Get", d, want(t, got, err))
	wanted := r.Personal
	wanted.Delivery, wanted.PickupAddress, wanted.DropoffAddress, wanted.PickupPoint = d.ID, "1 Quay", "12 Hill Street", r.Pickup.Point
	wantEqual(t, "people", wanted, people)
	got, err = s.ByID(ctx, d.ID)
	wantEqual(t, "ByID", d, want(t, got, err))
}

func deliveriesRepeat(t *testing.T, s DeliveriesUnder) {
	ctx := t.Context()
	first, err := s.Quote(ctx, QuoteFor("p", "a"))
	want(t, first, err)
	again, err := s.Quote(ctx, QuoteFor("p", "a"))
	wantEqual(t, "Quote repeated", Outside(first), want(t, again, err))
	created, err := s.Create(ctx, QuoteFor("p", "a"))
	if created = want(t, created, err); created.ID != first.ID || created.State != delivery.Requested {
		t.Errorf("Create of a quote = %s, %s; want %s, requested", created.ID, created.State, first.ID)
	}
	again, err = s.Create(ctx, QuoteFor("p", "a"))
	wantEqual(t, "Create repeated", created, want(t, again, err))
	other := QuoteFor("p", "a")
	other.RequestHash = "of another request"
	_, err = s.Quote(ctx, other)
	wantOutcome(t, "Quote of another request", err, fault.Conflict, delivery.DuplicateDelivery)
	_, err = s.Create(ctx, other)
	wantOutcome(t, "Create of another request", err, fault.Conflict, delivery.DuplicateDelivery)
	of, err := s.Quote(ctx, QuoteFor("q", "a"))
	if of = want(t, of, err); of.ID == first.ID {
		t.Error("the same id of another partner is the same delivery")
	}
}

func deliveriesRefused(t *testing.T, s DeliveriesUnder) {
	r := QuoteFor("p", "a")
	r.Dropoff.Address = "the island"
	_, err := s.Quote(t.Context(), r)
	refused, ok := errors.AsType[*delivery.Refused](err)
	if !ok {
		t.Fatalf("Quote of what is impossible: %v; want *delivery.Refused", err)
	}
	wantOutcome(t, "Quote of what is impossible", err, fault.Invalid, dispatch.DropoffOutside)
	wantEqual(t, "the refusal", dispatch.Refusal{Reason: dispatch.DropoffOutside, Detail: "no robot swims", NearestTime: fake.Start.Add(clock.Hour),
		MeetingPoint: &maps.Point{Lon: -1222988890, Lat: 476832350}}, refused.Refusal)
	_, _, err = s.Get(t.Context(), "p", "a")
	wantOutcome(t, "Get of what was refused", err, fault.NotFound, delivery.UnknownDelivery)
	kept, err := s.Create(t.Context(), QuoteFor("p", "b"))
	want(t, kept, err)
	island := dispatch.Place{Address: "the island"}
	_, err = s.Edit(t.Context(), "p", "b", delivery.Edit{Dropoff: &island})
	if _, ok := errors.AsType[*delivery.Refused](err); !ok {
		t.Errorf("Edit to what is impossible: %v; want *delivery.Refused", err)
	}
}

func deliveriesInvalid(t *testing.T, s DeliveriesUnder) {
	for what, change := range map[string]func(*delivery.QuoteRequest){
		"no market":       func(r *delivery.QuoteRequest) { r.Market = "" },
		"no partner":      func(r *delivery.QuoteRequest) { r.Partner = "" },
		"no id":           func(r *delivery.QuoteRequest) { r.ExternalID = "" },
		"no hash":         func(r *delivery.QuoteRequest) { r.RequestHash = "" },
		"a negative size": func(r *delivery.QuoteRequest) { r.Load.Grams = -1 },
		"a negative tip":  func(r *delivery.QuoteRequest) { r.Tip = -1 },
		"odd disposal":    func(r *delivery.QuoteRequest) { r.IfUndeliverable = "burn" },
		"a short PIN":     func(r *delivery.QuoteRequest) { r.UnloadPIN = "123" },
		"PIN and no PIN":  func(r *delivery.QuoteRequest) { r.UnloadPIN, r.NoUnloadPIN = "1234", true },
	} {
		r := QuoteFor("p", "a")
		change(&r)
		_, err := s.Quote(t.Context(), r)
		wantOutcome(t, "Quote with "+what, err, fault.Invalid, delivery.ValidationError)
		_, err = s.Create(t.Context(), r)
		wantOutcome(t, "Create with "+what, err, fault.Invalid, delivery.ValidationError)
	}
	less := delivery.Money(-1)
	_, err := s.Accept(t.Context(), "p", "a", delivery.AcceptRequest{Tip: &less})
	wantOutcome(t, "Accept with a negative tip", err, fault.Invalid, delivery.ValidationError)
	_, err = s.Edit(t.Context(), "p", "a", delivery.Edit{Tip: &less})
	wantOutcome(t, "Edit with a negative tip", err, fault.Invalid, delivery.ValidationError)
}

func deliveriesErrors(t *testing.T, s DeliveriesUnder) {
	for _, k := range []fault.Kind{fault.Internal, fault.Invalid, fault.NotFound, fault.Unavailable, fault.Forbidden, fault.Exhausted} {
		s.Town.fail(oddFault(k, "odd_"+k.String()))
		_, err := s.Quote(t.Context(), QuoteFor("p", "a"))
		wantOutcome(t, "Quote while Dispatch fails", err, k, "odd_"+k.String())
	}
}

func deliveriesAccept(t *testing.T, s DeliveriesUnder) {
	ctx, tip := t.Context(), delivery.Money(350)
	quote, err := s.Quote(ctx, QuoteFor("p", "a"))
	want(t, quote, err)
	d, err := s.Accept(ctx, "p", "a", delivery.AcceptRequest{Tip: &tip, DropoffPhone: "+12065550199"})
	if d = want(t, d, err); d.State != delivery.Requested || d.Tip != tip || d.Attempt != 1 {
		t.Errorf("Accept = %s with tip %d, attempt %d; want requested, 350, 1", d.State, d.Tip, d.Attempt)
	}
	_, people, err := s.Get(ctx, "p", "a")
	if err != nil || people.DropoffPhone != "+12065550199" {
		t.Errorf("the phone number after Accept is not the one it told (error %v)", err)
	}
	other := delivery.Money(1)
	again, err := s.Accept(ctx, "p", "a", delivery.AcceptRequest{Tip: &other})
	wantEqual(t, "Accept repeated", d, want(t, again, err))
}

func deliveriesExpire(t *testing.T, s DeliveriesUnder) {
	ctx := t.Context()
	quote, err := s.Quote(ctx, QuoteFor("p", "a"))
	want(t, quote, err)
	s.Town.Clock.Set(quote.ExpiresAt)
	_, err = s.Accept(ctx, "p", "a", delivery.AcceptRequest{})
	wantOutcome(t, "Accept of an expired quote", err, fault.Conflict, delivery.QuoteExpired)
	fresh, err := s.Quote(ctx, QuoteFor("p", "a"))
	if fresh = want(t, fresh, err); fresh.ID != quote.ID || fresh.ExpiresAt <= quote.ExpiresAt {
		t.Errorf("Quote after expiry = %s until %s; want %s and later", fresh.ID, fresh.ExpiresAt, quote.ID)
	}
	d, err := s.Accept(ctx, "p", "a", delivery.AcceptRequest{})
	want(t, d, err)
}

func deliveriesUnknown(t *testing.T, s DeliveriesUnder) {
	ctx := t.Context()
	d, err := s.Create(ctx, QuoteFor("p", "a"))
	want(t, d, err)
	for _, k := range []struct {
		p  delivery.PartnerID
		id string
	}{{"p", "b"}, {"q", "a"}, {"p", ""}, {"", "a"}, {"p", string(d.ID)}} {
		_, _, err := s.Get(ctx, k.p, k.id)
		wantOutcome(t, "Get", err, fault.NotFound, delivery.UnknownDelivery)
		_, err = s.Accept(ctx, k.p, k.id, delivery.AcceptRequest{})
		wantOutcome(t, "Accept", err, fault.NotFound, delivery.UnknownDelivery)
		_, err = s.Edit(ctx, k.p, k.id, delivery.Edit{})
		wantOutcome(t, "Edit", err, fault.NotFound, delivery.UnknownDelivery)
		_, err = s.Cancel(ctx, k.p, k.id, "")
		wantOutcome(t, "Cancel", err, fault.NotFound, delivery.UnknownDelivery)
	}
	for _, id := range []delivery.ID{"nobody", "", "a", "../" + d.ID} {
		_, err := s.ByID(ctx, id)
		wantOutcome(t, "ByID", err, fault.NotFound, delivery.UnknownDelivery)
		wantOutcome(t, "Ready", s.Ready(ctx, id, fake.Start), fault.NotFound, delivery.UnknownDelivery)
		wantOutcome(t, "Handoff", s.Handoff(ctx, id, delivery.HandoffRequest{Purpose: task.Load, Want: task.WantOpen}), fault.NotFound, delivery.UnknownDelivery)
		wantOutcome(t, "CannotCome", s.CannotCome(ctx, id), fault.NotFound, delivery.UnknownDelivery)
	}
}
