package kpi

import (
	"encoding/json"

	"footway/core/delivery"
	"footway/core/runlog"
)

// readUpdate sets the fields of an update that a collector uses.
func readUpdate(u *delivery.Update, data []byte) error {
	return skim(data, func(name, v []byte) error {
		switch string(name) {
		case "kind":
			return word(&u.Kind, v)
		case "to":
			return word(&u.To, v)
		case "partner":
			return word(&u.Partner, v)
		case "external_id":
			return word(&u.ExternalID, v)
		case "store":
			return word(&u.Store, v)
		case "robot":
			return word(&u.Robot, v)
		case "reason":
			return word(&u.Reason, v)
		case "cause":
			return word(&u.Cause, v)
		case "ready_at":
			return whole(&u.ReadyAt, v)
		case "route_mm":
			return whole(&u.RouteMM, v)
		case "promise":
			return readPromise(&u.Promise, v)
		}
		return nil
	})
}

func readPromise(p *delivery.Promise, data []byte) error {
	return skim(data, func(name, v []byte) error {
		switch string(name) {
		case "pickup_p50":
			return whole(&p.PickupP50, v)
		case "pickup_p90":
			return whole(&p.PickupP90, v)
		case "dropoff_p50":
			return whole(&p.DropoffP50, v)
		case "dropoff_p90":
			return whole(&p.DropoffP90, v)
		}
		return nil
	})
}

// readLeg sets the fields of a leg but those that say where it leads.
func readLeg(l *runlog.Leg, data []byte) error {
	return skim(data, func(name, v []byte) (err error) {
		switch string(name) {
		case "robot":
			return word(&l.Robot, v)
		case "purpose":
			return word(&l.Purpose, v)
		case "delivery":
			return word(&l.Delivery, v)
		case "loaded":
			return truth(&l.Loaded, v)
		case "times":
			l.Times, err = offsets(v)
		case "waits":
			return json.Unmarshal(v, &l.Waits)
		case "charge_from_mwh":
			return whole(&l.ChargeFromMWh, v)
		case "charge_to_mwh":
			return whole(&l.ChargeToMWh, v)
		case "length_mm":
			return whole(&l.LengthMM, v)
		}
		return err
	})
}

// readClaim reads "fleet.reserved", "fleet.released" and "fleet.state".
func readClaim(c *claim, data []byte) error {
	return skim(data, func(name, v []byte) error {
		switch string(name) {
		case "robot":
			return word(&c.Robot, v)
		case "holder":
			return word(&c.Holder, v)
		case "to":
			return word(&c.To, v)
		}
		return nil
	})
}
