package setting

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"footway/core/clock"
)

// checkScalar checks one value against its tag.
func checkScalar(v reflect.Value, path string, tag reflect.StructTag) error {
	text := format(v)
	if tag.Get("required") != "" && v.IsZero() {
		return fmt.Errorf("%s: missing; %s", path, want(tag))
	}
	if enum, ok := tag.Lookup("enum"); ok && !slices.Contains(strings.Split(enum, ","), text) {
		return fmt.Errorf("%s: %q is unknown; %s", path, text, want(tag))
	}
	if low, ok := tag.Lookup("min"); ok && compare(v, low, path) < 0 {
		return fmt.Errorf("%s: %s is below %s; %s", path, text, low, want(tag))
	}
	if high, ok := tag.Lookup("max"); ok && compare(v, high, path) > 0 {
		return fmt.Errorf("%s: %s is above %s; %s", path, text, high, want(tag))
	}
	return nil
}

// checkFilled checks a list that may not be empty.
func checkFilled(v reflect.Value, path string, tag reflect.StructTag) error {
	if tag.Get("required") != "" && v.Len() == 0 {
		return fmt.Errorf("%s: empty; want at least one entry", path)
	}
	return nil
}

// element returns the part of a list's tag that holds for its elements.
func element(tag reflect.StructTag) reflect.StructTag {
	var b strings.Builder
	for _, key := range []string{"min", "max", "enum", "unit"} {
		if value, ok := tag.Lookup(key); ok {
			fmt.Fprintf(&b, "%s:%q ", key, value)
		}
	}
	return reflect.StructTag(b.String())
}

// want says what a field's tag asks for.
func want(tag reflect.StructTag) string {
	low, high, unit := tag.Get("min"), tag.Get("max"), tag.Get("unit")
	if unit != "" {
		unit = " " + unit
	}
	switch {
	case tag.Get("enum") != "":
		return "want one of " + strings.ReplaceAll(tag.Get("enum"), ",", ", ")
	case low != "" && high != "":
		return "want " + low + " to " + high + unit
	case low != "":
		return "want at least " + low + unit
	case high != "":
		return "want at most " + high + unit
	}
	return "want a value"
}

// compare orders v against a bound from a tag. It panics if the bound is not
// of v's type, which is a bug in the tag.
func compare(v reflect.Value, bound, path string) int {
	b := reflect.New(v.Type()).Elem()
	if err := parse(b, bound); err != nil {
		panic(fmt.Sprintf("setting: bound of %s: %v", path, err))
	}
	switch {
	case v.CanInt():
		return cmp.Compare(v.Int(), b.Int())
	case v.CanUint():
		return cmp.Compare(v.Uint(), b.Uint())
	case v.CanFloat():
		return cmp.Compare(v.Float(), b.Float())
	}
	panic(fmt.Sprintf("setting: %s has a bound, but its type %v has no order", path, v.Type()))
}

// parse sets v, a scalar, a list of scalars, or anything JSON, from text.
func parse(v reflect.Value, text string) error {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := parse(p.Elem(), text); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		v.SetBool(b)
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number of %d bits", text, v.Type().Bits())
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number from 0 of %d bits", text, v.Type().Bits())
		}
		v.SetUint(n)
	case v.CanFloat():
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil || n != n {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetFloat(n)
	default:
		fresh := reflect.New(v.Type())
		if err := json.Unmarshal([]byte(text), fresh.Interface()); err != nil {
			return fmt.Errorf("%q is not JSON of the right shape: %w", text, err)
		}
		v.Set(fresh.Elem())
	}
	return nil
}

// format writes v so that parse reads it.
func format(v reflect.Value) string {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return ""
	}
	v = reflect.Indirect(v)
	if d, ok := v.Interface().(clock.Duration); ok {
		return d.String()
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	if scalar(v.Type()) {
		return fmt.Sprint(v.Interface())
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return fmt.Sprint(v.Interface())
	}
	return string(text)
}
