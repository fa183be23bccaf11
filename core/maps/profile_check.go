package maps

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"footway/core/clock"
)

// Problems returns everything that is wrong with p, each error beginning with
// the dotted path of the field under path. The limits are those of the fields' tags.
func (p Profile) Problems(path string) []error {
	errs := checkFields(path, reflect.ValueOf(p))
	if c := p.Crossing; c.SignalGreen > c.SignalCycle {
		errs = append(errs, fmt.Errorf("%s.crossing.signal_green %v: want at most signal_cycle, which is %v", path, c.SignalGreen, c.SignalCycle))
	}
	return errs
}

// checkFields checks each field of the struct v against its tags, in the
// order of the fields.
func checkFields(path string, v reflect.Value) []error {
	var errs []error
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		name := path + "." + field.Tag.Get("json")
		switch x := value.Interface().(type) {
		case clock.Duration:
			low, high := mustDuration(field.Tag.Get("min")), mustDuration(field.Tag.Get("max"))
			if x < low || x > high {
				errs = append(errs, fmt.Errorf("%s %v: want %v to %v", name, x, low, high))
			}
		case Street:
			errs = append(errs, checkWord(name, x.String(), field.Tag.Get("enum"))...)
		case Policy:
			errs = append(errs, checkWord(name, string(x), field.Tag.Get("enum"))...)
		case int32:
			low, high := mustInt(field.Tag.Get("min")), mustInt(field.Tag.Get("max"))
			if int64(x) < low || int64(x) > high {
				errs = append(errs, fmt.Errorf("%s %d: want %d to %d %s", name, x, low, high, field.Tag.Get("unit")))
			}
		default:
			if value.Kind() == reflect.Struct {
				errs = append(errs, checkFields(name, value)...)
			}
		}
	}
	return errs
}

func checkWord(name, word, allowed string) []error {
	if slices.Contains(strings.Split(allowed, ","), word) {
		return nil
	}
	return []error{fmt.Errorf("%s %q: want one of %s", name, word, strings.ReplaceAll(allowed, ",", ", "))}
}

// mustInt reads a number of a tag; a test reads them all.
func mustInt(s string) int64 {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("maps: a field's min or max tag is not a number: " + err.Error())
	}
	return v
}

// mustDuration reads a duration of a tag.
func mustDuration(s string) clock.Duration {
	v, err := clock.ParseDuration(s)
	if err != nil {
		panic("maps: a field's min or max tag is not a duration: " + err.Error())
	}
	return v
}
