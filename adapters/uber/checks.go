package uber

// checksForm are what a courier would check at the stops.
type checksForm struct {
	Pickup    checkForm `json:"pickup_verification"`
	Dropoff   checkForm `json:"dropoff_verification"`
	Return    checkForm `json:"return_verification"`
	Signature bool      `json:"requires_dropoff_signature"`
	ID        bool      `json:"requires_id"`
}

// checkForm is what would be checked at one stop.
type checkForm struct {
	Signature   bool `json:"signature"`
	Requirement struct {
		Enabled bool `json:"enabled"`
	} `json:"signature_requirement"`
	Barcodes []struct{} `json:"barcodes"`
	PIN      *struct {
		Enabled bool `json:"enabled"`
	} `json:"pincode"`
	Identity *struct {
		MinAge float64 `json:"min_age"`
	} `json:"identification"`
	Picture bool `json:"picture"`
}

// noPIN reports whether the recipient is to open the lid without one: only where
// that is said. Goods that anybody could take would be no delivery.
func (c *checksForm) noPIN() bool { return c.Dropoff.PIN != nil && !c.Dropoff.PIN.Enabled }

// impossible returns why no robot can check what is asked for, or nil.
func (c *checksForm) impossible() error {
	switch {
	case c.Signature:
		return impossible("requires_dropoff_signature", "signature_not_possible", "A robot cannot take a signature.")
	case c.ID:
		return impossible("requires_id", "id_verification_not_possible", "A robot cannot check anybody's identity card.")
	}
	for _, at := range [...]struct {
		field string
		check *checkForm
	}{{"pickup_verification", &c.Pickup}, {"dropoff_verification", &c.Dropoff}, {"return_verification", &c.Return}} {
		switch f := at.check; {
		case f.Signature || f.Requirement.Enabled:
			return impossible(at.field, "signature_not_possible", "A robot cannot take a signature.")
		case f.Picture:
			return impossible(at.field, "photo_not_possible", "A robot hands over to a person and takes no picture; ask for pincode.")
		case f.Identity != nil:
			return impossible(at.field, "id_verification_not_possible", "A robot cannot check anybody's identity card.")
		case len(f.Barcodes) > 0:
			return impossible(at.field, "barcodes_not_possible", "A robot scans nothing.")
		}
	}
	return nil
}

// impossible returns why no robot can carry out an order, or nil.
func (w *orderForm) impossible() error {
	if w.Undeliverable == "leave_at_door" {
		return impossible("undeliverable_action", "leave_at_door_not_possible", "A robot leaves nothing at a door; want return or discard.")
	}
	return w.checksForm.impossible()
}
