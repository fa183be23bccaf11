package restapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
	"footway/core/task"
)

// wireFound is a delivery with the people in it.
type wireFound struct {
	Delivery wireDelivery `json:"delivery"`
	People   *wirePeople  `json:"people,omitempty"`
	// Of the recipient's page, for who may pass it on.
	TrackingURL string `json:"tracking_url,omitempty"`
}

func (s *deliveriesAPI) quote(w http.ResponseWriter, r *http.Request) error {
	return s.ask(w, r, s.Quotes.Quote)
}

func (s *deliveriesAPI) create(w http.ResponseWriter, r *http.Request) error {
	return s.ask(w, r, s.Quotes.Create)
}

// ask has a delivery quoted or created. Its name is the idempotency key: the
// core answers a repeat with what is there, and refuses the name for anything else.
func (s *deliveriesAPI) ask(w http.ResponseWriter, r *http.Request, do func(context.Context, delivery.QuoteRequest) (delivery.Delivery, error)) error {
	var in wireQuoteRequest
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	var err error
	if in.ExternalID, err = keyed(r, in.ExternalID); err != nil {
		return err
	}
	c := callerIn(r)
	if _, ok := c.within(in.PickupStore); !ok {
		return fault.New("restapi", fault.NotFound, merchant.UnknownStore, "there is no such store")
	}
	if in.RequestHash == "" {
		if in.RequestHash, err = hashOf(in); err != nil {
			return err
		}
	}
	d, err := do(r.Context(), in.core(c.Partner))
	if err != nil {
		return err
	}
	return s.found(w, r, d, nil)
}

// keyed returns the name under which a POST creates something: the one in the
// body, or that of the header Idempotency-Key. Where there are both they are the same.
func keyed(r *http.Request, inBody string) (string, error) {
	keys := r.Header.Values(headerKey)
	if len(keys) == 0 {
		return inBody, nil
	}
	key := keys[0]
	if unquoted, ok := strings.CutPrefix(key, `"`); ok {
		key = strings.TrimSuffix(unquoted, `"`)
	}
	switch {
	case len(keys) > 1 || key == "" || len(key) > maxSegment || !plainID(key) || strings.ContainsAny(key, `"\`):
		return "", invalid(reasonBadHeader, "%s: want one string", headerKey)
	case inBody == "" || inBody == key:
		return key, nil
	}
	return "", invalid(reasonBadKey, "%s is not the id in the body, which it has to be", headerKey)
}

// hashOf returns the hash of a request for callers that do not make one.
func hashOf(in wireQuoteRequest) (string, error) {
	body, err := encode(in)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// read reads the body of a request.
func (s *deliveriesAPI) read(w http.ResponseWriter, r *http.Request, v any) error {
	return readInto(w, r, v)
}

func readInto(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	return decode(body, v)
}

// found answers with a delivery.
func (s *deliveriesAPI) found(w http.ResponseWriter, r *http.Request, d delivery.Delivery, people *wirePeople) error {
	c, out := callerIn(r), wireFound{Delivery: shown(callerIn(r), d), People: people}
	if s.TrackingURL != nil && c.Role != RoleRecipient && d.State != delivery.Quoted {
		out.TrackingURL = s.TrackingURL(&d)
	}
	body, err := encode(out)
	if err != nil {
		return err
	}
	t := tag(d.Sequence, body)
	w.Header().Set("ETag", t)
	return answerTagged(w, r, t, body)
}

func (s *deliveriesAPI) get(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	n, err := refOf(r)
	if err != nil {
		return err
	}
	c := callerIn(r)
	p, external := c.Partner, n.external
	if !n.partners {
		d, err := s.find(r)
		if err != nil {
			return err
		}
		p, external = d.Partner, d.ExternalID
	}
	d, personal, err := s.Quotes.Get(r.Context(), p, external)
	if err != nil {
		return hidden(err)
	}
	if !c.sees(&d) {
		return noDelivery()
	}
	return s.found(w, r, d, known(c, personal))
}

func (s *deliveriesAPI) accept(w http.ResponseWriter, r *http.Request) error {
	var in wireAccept
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	p, external, err := s.partners(r)
	if err != nil {
		return err
	}
	d, err := s.Quotes.Accept(r.Context(), p, external, in.core())
	if err != nil {
		return hidden(err)
	}
	return s.found(w, r, d, nil)
}

func (s *deliveriesAPI) edit(w http.ResponseWriter, r *http.Request) error {
	var in wireEdit
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	sequence, err := ifMatch(r)
	if err != nil {
		return err
	}
	p, external, err := s.partners(r)
	if err != nil {
		return err
	}
	d, err := s.Changes.Edit(r.Context(), p, external, in.core(sequence))
	if err != nil {
		return hidden(err)
	}
	return s.found(w, r, d, nil)
}

func (s *deliveriesAPI) cancel(w http.ResponseWriter, r *http.Request) error {
	var in wireCancel
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	p, external, err := s.partners(r)
	if err != nil {
		return err
	}
	d, err := s.Changes.Cancel(r.Context(), p, external, in.Cause)
	if err != nil {
		return hidden(err)
	}
	return s.found(w, r, d, nil)
}

func (s *deliveriesAPI) ready(w http.ResponseWriter, r *http.Request) error {
	var in wireReady
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	at := clock.Time(in.At)
	if at == 0 {
		at = s.Clock.Now()
	}
	return s.command(w, r, func(ctx context.Context, id delivery.ID) error { return s.Changes.Ready(ctx, id, at) })
}

func (s *deliveriesAPI) handoff(w http.ResponseWriter, r *http.Request) error {
	var in wireHandoff
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	c, ask := callerIn(r), in.core()
	switch {
	case c.Role == RoleMerchant && (ask.Purpose == task.Load || ask.Purpose == task.Return):
		ask.Staff = true // it is signed in
	case c.Role == RoleRecipient && ask.Purpose == task.Unload && !ask.Staff:
	case c.Role != RoleService:
		return fault.New("restapi", fault.Forbidden, reasonNotAllowed, "a %s has no part in this exchange", c.Role)
	}
	return s.command(w, r, func(ctx context.Context, id delivery.ID) error { return s.Doors.Handoff(ctx, id, ask) })
}

func (s *deliveriesAPI) cannotCome(w http.ResponseWriter, r *http.Request) error {
	if err := s.read(w, r, &struct{}{}); err != nil {
		return err
	}
	return s.command(w, r, s.Doors.CannotCome)
}

// command does something to the delivery that the path names, and has nothing to say.
func (s *deliveriesAPI) command(w http.ResponseWriter, r *http.Request, do func(context.Context, delivery.ID) error) error {
	id, err := s.ours(r)
	if err != nil {
		return err
	}
	if err := do(r.Context(), id); err != nil {
		return hidden(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
