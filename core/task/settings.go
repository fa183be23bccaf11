package task

import "footway/core/clock"

// Settings are what operators can change of tasks, per market.
type Settings struct {
	MaxWrongPINs      int            `json:"max_wrong_pins" min:"1" max:"20" doc:"How many wrong PINs in a row lock the hatch for a while. Default 3, as bank cards."`
	PINLock           clock.Duration `json:"pin_lock" min:"10s" max:"1h" doc:"How long no PIN is accepted then. Default 2m: 3 tries in 2 minutes find one PIN of 10,000 in a wait of 10 minutes with a chance of 0.2%."`
	MaxHatchTries     int            `json:"max_hatch_tries" min:"1" max:"20" doc:"How often the hatch may jam in one exchange before the step fails. Default 3."`
	AutoConfirm       bool           `json:"auto_confirm" doc:"Whether closing the hatch ends the exchange without a word of the person. Default true, as Uber Eats robots."`
	ConfirmAfterClose clock.Duration `json:"confirm_after_close" min:"1s" max:"10m" doc:"How long after closing it does, in which the person can open again. Default 20s."`
	OpenFor           clock.Duration `json:"open_for" min:"10s" max:"30m" doc:"How long a wish to open is repeated to a robot without contact: later nobody may stand there any more. Default 2m."`
	TellEvery         clock.Duration `json:"tell_every" min:"1s" max:"10m" doc:"How often a robot that could not be reached is told again. Default 15s, as often as robots report."`
	MaxAssist         clock.Duration `json:"max_assist" min:"1m" max:"12h" doc:"By how much remote help may put off a step's deadline in all. Default 30m: a robot helped for longer than that does not arrive."`
	DropFor           clock.Duration `json:"drop_for" min:"1m" max:"24h" doc:"How long a robot that could not be reached is told that its task is cancelled. Default 15m: by then Fleet counts it as missing, and it asks when it is back."`
}

// DefaultSettings returns the settings that hold where a market sets none.
func DefaultSettings() Settings {
	return Settings{
		MaxWrongPINs: 3, PINLock: 2 * clock.Minute, MaxHatchTries: 3, AutoConfirm: true, ConfirmAfterClose: 20 * clock.Second,
		OpenFor: 2 * clock.Minute, TellEvery: 15 * clock.Second, MaxAssist: 30 * clock.Minute, DropFor: 15 * clock.Minute,
	}
}
