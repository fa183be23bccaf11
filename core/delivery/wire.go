package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"footway/core/fault"
)

// Bounds of an update on its way. They are far above what any delivery needs: they
// keep a message that is no update out of stores that would choke on it.
const (
	MaxUpdate   = 64 << 10 // bytes of an encoded update
	MaxSequence = 1 << 20  // updates of one delivery
	maxName     = 1 << 10  // bytes of an id or another word
)

// badUpdate is the reason of every error about an update that can never be taken.
const badUpdate = "bad_update"

// EncodeUpdate returns u as it crosses the broker: one JSON object, the same
// bytes for the same update. An update that DecodeUpdate would refuse is a
// fault.Invalid.
func EncodeUpdate(u Update) ([]byte, error) {
	const op = "delivery.EncodeUpdate"
	if err := u.Check(); err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Reason: badUpdate, Err: err}
	}
	b, err := json.Marshal(u)
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Internal, Err: err}
	}
	if len(b) > MaxUpdate {
		return nil, fault.New(op, fault.Invalid, badUpdate, "update %s/%d has %d bytes; want at most %d", u.Delivery, u.Sequence, len(b), MaxUpdate)
	}
	return b, nil
}

// DecodeUpdate reads what EncodeUpdate returned, here or in another version of
// the program: it ignores fields that it does not know. What is no update is a
// fault.Invalid that repeats none of its values but the delivery's id.
func DecodeUpdate(message []byte) (Update, error) {
	const op = "delivery.DecodeUpdate"
	if len(message) > MaxUpdate {
		return Update{}, fault.New(op, fault.Invalid, badUpdate, "the message has %d bytes; want at most %d", len(message), MaxUpdate)
	}
	if !utf8.Valid(message) { // encoding/json would put other characters in their place
		return Update{}, fault.New(op, fault.Invalid, badUpdate, "the message is not UTF-8")
	}
	var u Update
	if err := json.Unmarshal(message, &u); err != nil {
		return Update{}, &fault.Error{Op: op, Kind: fault.Invalid, Reason: badUpdate, Err: noUpdate(err)}
	}
	if err := u.Check(); err != nil {
		return Update{}, &fault.Error{Op: op, Kind: fault.Invalid, Reason: badUpdate, Err: err}
	}
	return u, nil
}

// noUpdate says what is wrong with a message without the values that encoding/json repeats.
func noUpdate(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the message is not one JSON object: it goes wrong at byte %d", syntax.Offset)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("field %q, before byte %d, is not what an update has there: want %s", wrong.Field, wrong.Offset, wrong.Type)
	}
	return errors.New("the message is not the JSON object of an update")
}

// Check returns what keeps u from being any delivery's update, or nil. It knows
// no list of kinds and states: those grow, and consumers of an older version pass them on.
func (u *Update) Check() error {
	for _, f := range [...]struct {
		name, value string
		needed      bool
		most        int
	}{
		{"delivery", string(u.Delivery), true, maxName},
		{"kind", string(u.Kind), true, maxName},
		{"market", string(u.Market), true, maxName},
		{"partner", string(u.Partner), true, maxName},
		{"external_id", u.ExternalID, true, maxName},
		{"from", string(u.From), false, maxName}, // of the first there is none
		{"to", string(u.To), true, maxName},
		{"reason", string(u.Reason), false, maxName},
		{"robot", string(u.Robot), false, maxName},
		{"cause", u.Cause, false, MaxUpdate},
		{"store", u.Store, false, MaxUpdate},
		{"trace", u.Trace, false, maxName},
	} {
		if err := checkWord(f.value, f.needed, f.most); err != nil {
			return fmt.Errorf("update %.100q/%d: %s %w", u.Delivery, u.Sequence, f.name, err)
		}
	}
	if u.Sequence < 1 || u.Sequence > MaxSequence {
		return fmt.Errorf("update %q: sequence is %d; want 1 to %d", u.Delivery, u.Sequence, MaxSequence)
	}
	if u.At < 0 {
		return fmt.Errorf("update %q/%d: at is %d; want milliseconds since 1970", u.Delivery, u.Sequence, int64(u.At))
	}
	return nil
}

// checkWord refuses what not every store can keep as it is.
func checkWord(s string, needed bool, most int) error {
	switch {
	case needed && s == "":
		return errors.New("is missing")
	case len(s) > most:
		return fmt.Errorf("has %d bytes; want at most %d", len(s), most)
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	case strings.Contains(s, "\x00"):
		return errors.New("holds a character of code 0")
	}
	return nil
}

// Same reports whether u and v tell the same. Two updates of one name that do
// not are two things that were numbered alike.
//
// A field that is added to Update one day does not count here: while replicas
// of two versions run, the same update arrives with it and without. So it is with Trace.
func (u *Update) Same(v *Update) bool {
	a, b := *u, *v
	a.Trace, b.Trace = "", ""
	return a == b
}
