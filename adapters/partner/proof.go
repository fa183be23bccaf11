package partner

import "footway/core/delivery"

// proof is how a recipient shows that the goods are theirs.
type proof struct {
	Signature string `json:"signature"`
	ID        string `json:"id"`
	Kind      string `json:"kind"` // of proof of delivery; "" if the partner does not say
	PINKind   string `json:"pin_kind"`
	PIN       string `json:"pin"`
	ReturnPIN bool   `json:"return_pin"` // the merchant wants one when goods come back
}

// Kinds of proof and of PINs.
const (
	proofPIN       = "pin_code"
	proofNone      = "none"
	proofPhoto     = "photo_required"
	pinPhone       = "customer_phone_number"
	pinRandom      = "random_number"
	pinOfMerchant  = "merchant_provided_number"
	proofPreferred = "photo_preferred"
)

func readProof(f form) proof {
	var p proof
	contactless := f.flag("contactless_dropoff")
	if f.flag("dropoff_requires_signature") {
		p.Signature = "required"
	}
	if options, ok := f.object("dropoff_options"); ok {
		if s := options.word("signature", "required", "preferred", "none"); s != "" {
			p.Signature = s
		}
		p.ID = options.word("id_verification", "required", "preferred", "none")
		p.Kind = options.word("proof_of_delivery", proofPhoto, proofPreferred, proofPIN, proofNone)
		if p.Kind == proofPIN && contactless {
			options.wrong("proof_of_delivery", "pin_code is not possible with contactless_dropoff")
		}
	}
	const metadata = "dropoff_pin_code_verification_metadata"
	if pin, ok := f.object(metadata); ok {
		p.readPIN(pin)
		if p.Kind != proofPIN {
			f.wrong(metadata, "goes with dropoff_options.proof_of_delivery pin_code only")
		}
	}
	if p.Kind == proofPIN && p.PINKind == "" {
		p.PINKind = pinPhone
	}
	_, p.ReturnPIN = f.object("return_pin_code_verification_metadata")
	return p
}

func (p *proof) readPIN(pin form) {
	p.PINKind = pin.word("pin_code_type", pinPhone, pinRandom, pinOfMerchant)
	p.PIN = pin.text("pin_code_value", maxID)
	switch {
	case p.PINKind == pinOfMerchant && (len(p.PIN) != 4 || !only(p.PIN, digits, 4)):
		pin.wrong("pin_code_value", "want four digits")
	case p.PINKind != pinOfMerchant && p.PIN != "":
		pin.wrong("pin_code_value", "goes with pin_code_type merchant_provided_number only")
	}
}

// unlock says in r how the recipient opens the lid.
func (p proof) unlock(r *delivery.QuoteRequest, phone string) {
	switch {
	case p.Kind == proofNone:
		r.NoUnloadPIN = true
	case p.Kind != proofPIN || p.PINKind == pinRandom: // one of ours
	case p.PINKind == pinOfMerchant:
		r.UnloadPIN = p.PIN
	case len(phone) > 4:
		r.UnloadPIN = phone[len(phone)-4:]
	}
}

// impossible returns why no robot can carry out o, or nil.
func (o order) impossible() error {
	for _, what := range o.Contains {
		switch what {
		case "alcohol", "tobacco", "hemp", "age_restricted_pharmacy_items":
			return impossible("age_restricted_goods", what+": a robot cannot check anybody's age")
		}
	}
	for _, i := range o.Items {
		if i.Dangerous {
			return impossible("dangerous_goods", "an item is declared as dangerous goods")
		}
	}
	switch {
	case o.Proof.ID == "required":
		return impossible("id_verification_not_possible", "a robot cannot check anybody's identity card")
	case o.Proof.Signature == "required":
		return impossible("signature_not_possible", "a robot cannot take a signature")
	case o.Proof.Kind == proofPhoto:
		return impossible("photo_not_possible", "a robot hands over to a person and takes no photo; ask for pin_code or none")
	case o.Proof.ReturnPIN:
		return impossible("return_pin_not_possible", "returned goods are handed over without a PIN")
	case o.Cash > 0:
		return impossible("cash_not_possible", "a robot cannot take cash")
	case o.Roundtrip:
		return impossible("roundtrip_not_possible", "a robot brings nothing back from the recipient")
	}
	switch o.Fulfillment {
	case "shop_stage", "shop_deliver", "shop_handoff", "parcel":
		return impossible("fulfillment_method_not_possible", o.Fulfillment+": a robot collects goods that are ready at a merchant's door")
	}
	return nil
}
