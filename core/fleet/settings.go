package fleet

import (
	"fmt"

	"footway/core/clock"
)

// Settings are what operators can change of a market's fleet.
type Settings struct {
	SilenceAfter clock.Duration `json:"silence_after" min:"5s" max:"30m" doc:"How long nothing may be heard of a robot before it counts as non_contactable. Default 60s: four reports of one each 15 s, so that a single lost one alarms nobody."`
	MissingAfter clock.Duration `json:"missing_after" min:"1m" max:"24h" doc:"How long nothing may be heard of a robot before it counts as missing and somebody goes to look. Default 15m, longer than any tunnel or dead spot on a delivery route."`
	Charge       ChargeSettings `json:"charge" doc:"When robots charge."`
}

// ChargeSettings are the thresholds of the charging rule, as shares of a full battery.
type ChargeSettings struct {
	ReservePermille int64 `json:"reserve_permille" min:"0" max:"900" unit:"permille" doc:"Charge that no plan may use. Default 150: lithium cells age fast below it, and it is what a detour may cost."`
	MustPermille    int64 `json:"must_permille" min:"0" max:"950" unit:"permille" doc:"Below this an idle robot goes to charge even if deliveries wait. Default 250: the reserve and a delivery of typical length."`
	TopUpPermille   int64 `json:"top_up_permille" min:"0" max:"1000" unit:"permille" doc:"Below this a robot that nobody needs goes to charge. Default 750: above it the way to the dock costs more than it brings."`
	TargetPermille  int64 `json:"target_permille" min:"50" max:"1000" unit:"permille" doc:"A robot stops charging here when deliveries wait. Default 850: above it charging slows down."`
	RestPermille    int64 `json:"rest_permille" min:"50" max:"1000" unit:"permille" doc:"A robot stops charging here when nobody waits. Default 1000: full before the next rush."`
}

// DefaultSettings returns the settings that hold where a market sets none.
func DefaultSettings() Settings {
	return Settings{
		SilenceAfter: clock.Minute,
		MissingAfter: 15 * clock.Minute,
		Charge:       ChargeSettings{ReservePermille: 150, MustPermille: 250, TopUpPermille: 750, TargetPermille: 850, RestPermille: 1000},
	}
}

// Problems returns what is wrong between fields; path is where s stands.
func (s Settings) Problems(path string) []error {
	if s.MissingAfter <= s.SilenceAfter {
		return []error{fmt.Errorf("%s.missing_after: %v is not above silence_after (%v); a robot is out of contact before it is missing", path, s.MissingAfter, s.SilenceAfter)}
	}
	return nil
}

// Problems returns what is wrong between fields; path is where s stands.
func (s ChargeSettings) Problems(path string) []error {
	var errs []error
	rising := func(name string, v int64, below string, w int64) {
		if v < w {
			errs = append(errs, fmt.Errorf("%s.%s: %d is below %s (%d); want at least that", path, name, v, below, w))
		}
	}
	rising("must_permille", s.MustPermille, "reserve_permille", s.ReservePermille)
	rising("top_up_permille", s.TopUpPermille, "must_permille", s.MustPermille)
	rising("rest_permille", s.RestPermille, "target_permille", s.TargetPermille)
	if s.TargetPermille <= s.MustPermille {
		errs = append(errs, fmt.Errorf("%s.target_permille: %d is not above must_permille (%d); a robot would leave the dock to return at once", path, s.TargetPermille, s.MustPermille))
	}
	if s.RestPermille <= s.TopUpPermille {
		errs = append(errs, fmt.Errorf("%s.rest_permille: %d is not above top_up_permille (%d); a robot would leave the dock to return at once", path, s.RestPermille, s.TopUpPermille))
	}
	return errs
}
