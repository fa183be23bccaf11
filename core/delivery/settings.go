package delivery

import (
	"fmt"

	"footway/core/clock"
)

// Settings are what operators can change of deliveries, per market.
type Settings struct {
	QuoteLife            clock.Duration `json:"quote_life" min:"10s" max:"1h" doc:"How long a quote can be accepted. Default 5m, as Drive's quotes."`
	PickupWait           clock.Duration `json:"pickup_wait" min:"1m" max:"1h" doc:"How long a robot waits at the merchant, once the goods should be ready, before the merchant is reminded. Default 10m, as Uber Eats robots."`
	PickupWaitMax        clock.Duration `json:"pickup_wait_max" min:"1m" max:"2h" doc:"How long it waits before the pickup counts as failed. Default 25m: the reminder and a quarter of an hour."`
	DropoffWait          clock.Duration `json:"dropoff_wait" min:"1m" max:"1h" doc:"How long a robot waits for the recipient. Default 10m, as Uber Eats robots."`
	ReturnWait           clock.Duration `json:"return_wait" min:"1m" max:"2h" doc:"How long a robot with returned goods waits for the merchant. Default 20m: the merchant does not expect it."`
	ExchangeGrace        clock.Duration `json:"exchange_grace" min:"30s" max:"15m" doc:"How long a wait is prolonged after somebody opened the hatch. Default 3m: nobody is left standing with half of the goods."`
	StartWait            clock.Duration `json:"start_wait" min:"1m" max:"1h" doc:"How long a carrier may take to set off after it was assigned or loaded before it counts as failed. Default 6m, twice the time after which a robot without contact counts as lost."`
	LateGrace            clock.Duration `json:"late_grace" min:"1m" max:"2h" doc:"How long a loaded carrier may stay overdue before another one takes over. Default 10m."`
	TransferWait         clock.Duration `json:"transfer_wait" min:"5m" max:"4h" doc:"How long goods in a failed robot wait for another carrier before they are given up. Default 45m: hot food is lost then anyway."`
	MaxAttempts          int            `json:"max_attempts" min:"1" max:"20" doc:"How many carriers are tried before loading, and how many for one takeover. Default 5."`
	BudgetPermille       int64          `json:"budget_permille" min:"1000" max:"10000" unit:"permille" doc:"How long a drive may take, as a share of its estimate, before it is overdue. Default 2000: signals and crowds double a way at most."`
	BudgetSlack          clock.Duration `json:"budget_slack" min:"0s" max:"1h" doc:"Added to the time that a drive may take. Default 5m, so that short drives survive one long red light or one call for an operator."`
	ExpectationThreshold clock.Duration `json:"expectation_threshold" min:"10s" max:"1h" doc:"How far the expected times must move before the partner is told of that alone. Default 3m."`
	RetryEvery           clock.Duration `json:"retry_every" min:"100ms" max:"10m" doc:"How long until a call that another service did not take is repeated. Default 5s."`
	AskEvery             clock.Duration `json:"ask_every" min:"5s" max:"1h" doc:"How often a request that Dispatch has taken but not decided is repeated, in case Dispatch has forgotten it. Default 2m."`
	Pricing              Pricing        `json:"pricing" doc:"What a delivery costs."`
}

// Pricing says what a delivery costs.
type Pricing struct {
	Currency       string `json:"currency" required:"true" doc:"Currency of all amounts, ISO 4217. Default USD."`
	FlatFee        Money  `json:"flat_fee" min:"0" max:"1000000" unit:"cents" doc:"Fee of a delivery up to the included distance. Default 975, as Drive's list price."`
	IncludedMM     int64  `json:"included_mm" min:"0" max:"100000000" unit:"mm" doc:"Distance that the flat fee covers. Default 8046720: Drive's 5 miles."`
	PerMile        Money  `json:"per_mile" min:"0" max:"1000000" unit:"cents" doc:"Fee of each mile begun beyond it. Default 75, as Drive's list price."`
	SmallOrder     Money  `json:"small_order" min:"0" max:"1000000" unit:"cents" doc:"Orders of less value pay the small order fee. Default 0: none do."`
	SmallOrderFee  Money  `json:"small_order_fee" min:"0" max:"1000000" unit:"cents" doc:"Fee on top for small orders. Default 200, ours: common in US food delivery."`
	ReturnPermille int64  `json:"return_permille" min:"0" max:"3000" unit:"permille" doc:"Fee of the way back to the merchant as a share of the fee. Default 600, as Drive's list price."`
}

// DefaultSettings returns the settings that hold where a market sets none.
func DefaultSettings() Settings {
	return Settings{
		QuoteLife: 5 * clock.Minute, PickupWait: 10 * clock.Minute, PickupWaitMax: 25 * clock.Minute, DropoffWait: 10 * clock.Minute,
		ReturnWait: 20 * clock.Minute, ExchangeGrace: 3 * clock.Minute, StartWait: 6 * clock.Minute, LateGrace: 10 * clock.Minute,
		TransferWait: 45 * clock.Minute, MaxAttempts: 5, BudgetPermille: 2000, BudgetSlack: 5 * clock.Minute,
		ExpectationThreshold: 3 * clock.Minute, RetryEvery: 5 * clock.Second, AskEvery: 2 * clock.Minute,
		Pricing: Pricing{Currency: "USD", FlatFee: 975, IncludedMM: 5 * mileMM, PerMile: 75, SmallOrderFee: 200, ReturnPermille: 600},
	}
}

// Problems returns what is wrong between fields; path is where s stands.
func (s Settings) Problems(path string) []error {
	var errs []error
	if s.PickupWaitMax <= s.PickupWait {
		errs = append(errs, fmt.Errorf("%s.pickup_wait_max: %v is not above pickup_wait (%v); the merchant must be reminded before it is too late", path, s.PickupWaitMax, s.PickupWait))
	}
	if s.AskEvery < s.RetryEvery {
		errs = append(errs, fmt.Errorf("%s.ask_every: %v is below retry_every (%v); want at least that", path, s.AskEvery, s.RetryEvery))
	}
	return errs
}

// Problems returns what is wrong between fields; path is where p stands.
func (p Pricing) Problems(path string) []error {
	for _, c := range p.Currency {
		if c < 'A' || c > 'Z' || len(p.Currency) != 3 {
			return []error{fmt.Errorf("%s.currency: %q is not a currency; want three capital letters, such as USD", path, p.Currency)}
		}
	}
	return nil
}
