package merchant

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// wordsOfErrors say what went wrong by the stable words of errors, and what to do.
var wordsOfErrors = map[string]string{
	"wrong_password":        "The email or the password is wrong.",
	"too_many_tries":        "Too many tries. Wait 15 minutes, or ask an admin for a new invitation.",
	"unknown_account":       "Nobody of that name was invited. Ask an admin of your business.",
	"bad_invitation":        "This invitation was used already, or is older than a week. Ask for a new one.",
	"weak_password":         "Choose a longer password: 10 characters or more, five of them different, and not your email address.",
	"duplicate_email":       "Somebody with this email has an account already.",
	"last_admin":            "Your business needs one admin at least. Make somebody else admin first.",
	"not_admin":             "Only admins may do this.",
	"provider":              "The sign-in was not completed. Try again.",
	"api_away":              "Footway cannot be reached just now. Nothing is lost; try again in a moment.",
	"pin_wrong":             "The PIN was not accepted.",
	"pin_locked":            "There were too many wrong PINs. Wait two minutes and try again.",
	"moving":                "The robot is still driving. It opens when it has stopped.",
	"not_ready":             "The robot is just stopping. Try again in a moment.",
	"not_its_turn":          "The robot is not here yet.",
	"no_carrier":            "There is no robot here.",
	"ended":                 "This order has already ended.",
	"hatch_open":            "The lid is still open. Close it first.",
	"never_opened":          "The lid was not open yet.",
	"delivery_picked_up":    "It is too late: the robot has the goods already.",
	"delivery_completed":    "It is too late: this order has ended.",
	"delivery_cancelled":    "This order was cancelled already.",
	"quote_expired":         "The price held for five minutes. Here is a new one.",
	"stale_sequence":        "Somebody else changed this order in the meantime. Look at it again.",
	"validation_error":      "Something in the form is not as it should be.",
	"duplicate_delivery_id": "This order was placed already.",
	"unknown_store":         "There is no such store.",
	"bad_phone":             "This is no phone number. Want one such as +12065550123.",
	"too_many_streams":      "Too many pages are open with this account. Close some.",
}

// wordsOfNotes are what a page says after something worked, by the word in its address.
var wordsOfNotes = map[string]string{
	"ordered": "Ordered. A robot is being chosen.", "cancelled": "The order is cancelled.", "saved": "Saved.", "ready": "Thank you. The robot knows that it is ready.",
	"opening": "The lid opens now.", "confirmed": "Thank you. The robot leaves.", "password": "Your password is changed. Other browsers are signed out.",
	"paused": "Paused. What happens meanwhile is sent when it is on again.", "resumed": "It is on.", "removed": "The webhook is deleted.",
	"resent": "It is sent again, as soon as it is its turn.", "resentall": "They are sent again, one after another.",
}

// wordsOfStates name the states of a delivery as a shop thinks of them.
var wordsOfStates = map[string]string{
	"quoted": "Not ordered yet", "requested": "Looking for a robot", "assigned": "Robot chosen", "to_pickup": "Robot on its way to you", "at_pickup": "Robot is here",
	"loaded": "Loaded", "to_dropoff": "On the way", "at_dropoff": "At the customer’s door", "delivered": "Delivered", "returning": "Coming back to you", "at_return": "Back here: unload it",
	"returned": "Came back", "cancelled": "Cancelled",
}

// tones of states, for tags.
var tones = map[string]string{
	"at_pickup": "good", "at_return": "warn", "delivered": "good", "returning": "warn", "returned": "warn", "cancelled": "bad", "to_pickup": "info", "to_dropoff": "info", "at_dropoff": "info", "loaded": "info",
}

// wordsOfRefusals say why a delivery is not possible, and what would be.
var wordsOfRefusals = map[string][2]string{
	"distance_too_long":                {"That is too far for a robot.", "Robots drive a few kilometres. Choose a closer address, or deliver it another way."},
	"pickup_address_not_in_coverage":   {"Your store’s address is outside of the area.", "Check the address of the store in its settings, or call us."},
	"delivery_address_not_in_coverage": {"No robot gets to this address.", "Perhaps the customer can come to a place nearby."},
	"outside_of_delivery_time":         {"Robots do not drive at that time.", "Choose another time."},
	"too_large":                        {"This does not fit into a robot.", "Split it into two orders, or choose a smaller size if it is smaller."},
	"no_capacity":                      {"No robot is free soon enough.", "Try a later time."},
	"store_closed":                     {"Your store is closed then.", "Choose a time when it is open, or change its hours."},
	"address_not_found":                {"We do not know this address.", "Choose one of the suggestions as you type."},
	"store_unknown_place":              {"We do not know where your store is.", "Check its address under Stores."},
}

// wordsOfCauses name why something happened.
var wordsOfCauses = map[string]string{
	"merchant_late": "it waits for you", "merchant_did_not_load": "nobody loaded it in time", "recipient_did_not_come": "nobody came to the door",
	"merchant_did_not_take_back": "nobody took it back", "recipient_cannot_come": "the customer cannot come", "no_carrier_for_takeover": "no other robot could take over",
	"task_refused": "the robot did not take it", "did_not_start": "the robot did not start", "hatch_jammed": "the lid was stuck",
	"out_of_stock": "something was not there", "customer_asked": "the customer asked for it", "too_busy": "too busy", "mistake": "a mistake",
}

func cause(text string) string {
	if w := wordsOfCauses[text]; w != "" {
		return w
	}
	return strings.ReplaceAll(text, "_", " ")
}

// cancelCauses are the reasons that the pages offer for cancelling.
var cancelCauses = [][2]string{{"customer_asked", "The customer asked for it"}, {"out_of_stock", "Something is not there"}, {"too_busy", "We are too busy"}, {"mistake", "It was a mistake"}}

// money writes an amount, such as $3.20.
func money(cents int64, currency string) string {
	sign := ""
	if cents < 0 {
		sign, cents = "−", -cents
	}
	symbol, after := "", " "+currency
	switch currency {
	case "USD", "":
		symbol, after = "$", ""
	case "EUR":
		symbol, after = "€", ""
	case "GBP":
		symbol, after = "£", ""
	}
	return fmt.Sprintf("%s%s%d.%02d%s", sign, symbol, cents/100, cents%100, after)
}

// clockTime writes a time of day, such as 3:04 PM, with the day if it is another one.
func clockTime(t, now time.Time) string {
	if t.IsZero() {
		return "–"
	}
	text := strings.ReplaceAll(t.Format("3:04 PM"), " ", "\u00a0")
	if dayOf(t) != dayOf(now) {
		text = t.Format("Jan 2") + ", " + text
	}
	return text
}

// secondTime writes a time of day to the second, with the day if it is another one.
func secondTime(t, now time.Time) string {
	text := t.Format("3:04:05\u00a0PM")
	if dayOf(t) != dayOf(now) {
		text = t.Format("Jan 2") + ", " + text
	}
	return text
}

// dayTime writes a time with its day, such as Nov 23, 3:04 PM, and the year if it is another one.
func dayTime(t, now time.Time) string {
	switch {
	case t.IsZero():
		return "–"
	case t.Year() != now.Year():
		return t.Format("Jan 2, 2006, 3:04\u00a0PM")
	}
	return t.Format("Jan 2, 3:04\u00a0PM")
}

// dayOf returns the day of a time where it is.
func dayOf(t time.Time) string { return t.Format(time.DateOnly) }

// clip cuts text so that it has so many bytes at most, and only whole characters.
func clip(text string, most int) string {
	for len(text) > most {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return text
}

// between writes a range of times, such as 12:40 – 12:48 PM.
func between(from, to, now time.Time) string {
	a, b := clockTime(from, now), clockTime(to, now)
	if a == b {
		return a
	}
	if half := "\u00a0" + from.Format("PM"); strings.HasSuffix(a, half) && strings.HasSuffix(b, half) {
		a = strings.TrimSuffix(a, half)
	}
	return a + " – " + b
}

// minutes writes a length of time in whole minutes, one at least.
func minutes(d time.Duration) string {
	n := max(1, int((d+30*time.Second)/time.Minute))
	if n >= 120 {
		return fmt.Sprintf("%d h %d min", n/60, n%60)
	}
	return fmt.Sprintf("%d min", n)
}

// stopwatch writes a time that is left, such as 9:05.
func stopwatch(d time.Duration) string {
	s := max(0, int(d/time.Second))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// lastPart separates an order's own number from what makes it unique; see newExternalID.
const lastPart = ".q"

// number returns what a shop calls an order.
func number(externalID string) string {
	if i := strings.LastIndex(externalID, lastPart); i > 0 && len(externalID)-i == len(lastPart)+5 {
		return externalID[:i]
	}
	return externalID
}
