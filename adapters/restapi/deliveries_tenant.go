package restapi

import (
	"net/http"

	"footway/core/delivery"
	"footway/core/fault"
)

// noDelivery is the answer for a delivery that there is not and for one that is
// another's. Nobody can tell the two apart.
func noDelivery() error {
	return fault.New("restapi", fault.NotFound, delivery.UnknownDelivery, "there is no such delivery")
}

// hidden makes one answer of all the ways not to find a delivery.
func hidden(err error) error {
	if fault.Is(err, fault.NotFound) {
		return noDelivery()
	}
	return err
}

// refOf returns which delivery the path names.
func refOf(r *http.Request) (ref, error) {
	n, ok := readRef(r.PathValue("ref"))
	if !ok {
		return ref{}, noDelivery()
	}
	return n, nil
}

// find returns the delivery that the path names, if it is the caller's.
func (s *deliveriesAPI) find(r *http.Request) (delivery.Delivery, error) {
	n, err := refOf(r)
	if err != nil {
		return delivery.Delivery{}, err
	}
	c := callerIn(r)
	var d delivery.Delivery
	if n.partners {
		d, _, err = s.Quotes.Get(r.Context(), c.Partner, n.external)
	} else {
		d, err = s.Changes.ByID(r.Context(), n.id)
	}
	if err == nil && !c.sees(&d) {
		return delivery.Delivery{}, noDelivery()
	}
	return d, hidden(err)
}

// partners returns the partner and its own id of the delivery that the path
// names. It looks at the delivery only where the path does not say both, or
// where the caller may not see all of its partner's.
func (s *deliveriesAPI) partners(r *http.Request) (delivery.PartnerID, string, error) {
	n, err := refOf(r)
	if err != nil {
		return "", "", err
	}
	if c := callerIn(r); n.partners && c.Role == RoleService {
		return c.Partner, n.external, nil
	}
	d, err := s.find(r)
	return d.Partner, d.ExternalID, err
}

// ours returns our id of the delivery that the path names.
func (s *deliveriesAPI) ours(r *http.Request) (delivery.ID, error) {
	n, err := refOf(r)
	if err != nil {
		return "", err
	}
	if c := callerIn(r); !n.partners && c.Role == RoleService && c.Partner == "" {
		return n.id, nil
	}
	d, err := s.find(r)
	return d.ID, err
}

// shown returns what the caller may see of a delivery: the PIN at the door is
// the recipient's, and partners pass it on; the one that opens the robot at the shop is the merchant's.
func shown(c Caller, d delivery.Delivery) wireDelivery {
	w := deliveryTo(d)
	if c.Role == RoleMerchant {
		w.UnloadPIN, w.LoadPIN = "", d.LoadPIN
	}
	return w
}

// known returns what the caller may see of the people: a merchant its own side, and
// the other one if the customers are its own; a recipient nothing that a stranger with the link could use.
func known(c Caller, p delivery.Personal) *wirePeople {
	w := peopleTo(p)
	switch c.Role {
	case RoleService:
		return w
	case RoleMerchant:
		if c.Customers {
			return w
		}
		return &wirePeople{PickupAddress: w.PickupAddress, PickupName: w.PickupName, PickupPhone: w.PickupPhone, PickupInstructions: w.PickupInstructions,
			Items: w.Items, PickupPoint: w.PickupPoint}
	}
	return nil
}
