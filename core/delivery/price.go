package delivery

// mileMM is an international mile in millimetres.
const mileMM = 1_609_344

// Kinds of fee, in Drive's words where it has them.
const (
	FlatFee       = "flat_fee"
	DistanceFee   = "distance_based_fee"
	SmallOrderFee = "small_order_fee"
	ReturnFee     = "return_fee"
	Refund        = "refund"
)

// Price returns what a delivery over routeMM of goods worth value costs: its
// parts, none of them zero except the flat fee. The sum is the fee.
func Price(p Pricing, routeMM int64, value Money) []FeePart {
	parts := []FeePart{{FlatFee, p.FlatFee}}
	if over := routeMM - p.IncludedMM; over > 0 && p.PerMile > 0 {
		miles := (over + mileMM - 1) / mileMM
		parts = append(parts, FeePart{DistanceFee, Money(miles) * p.PerMile})
	}
	if value < p.SmallOrder && p.SmallOrderFee > 0 {
		parts = append(parts, FeePart{SmallOrderFee, p.SmallOrderFee})
	}
	return parts
}

// sum adds up the parts of a fee.
func sum(parts []FeePart) Money {
	var total Money
	for _, p := range parts {
		total += p.Amount
	}
	return total
}

// setPrice prices d anew.
func (d *Delivery) setPrice(p Pricing) {
	d.FeeParts = Price(p, d.RouteMM, d.OrderValue)
	d.Fee, d.Currency = sum(d.FeeParts), p.Currency
}

// charge adds one part to the fee; nothing if it is zero.
func (d *Delivery) charge(kind string, amount Money) {
	if amount == 0 {
		return
	}
	d.FeeParts = append(d.FeeParts, FeePart{kind, amount})
	d.Fee += amount
}
