package setting

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decode sets what doc names in the struct that into points to, and leaves
// everything else as it was, so that doc may be a part of a whole. doc is a
// document of any format: nil, bool, int64, uint64, float64, json.Number,
// string, []any and map[string]any. It is strict: unknown names, values of
// another type and bare numbers for durations are errors. It goes on after an
// error and returns all of them, each beginning with the path of its value,
// which is path and the names below it. Values are not checked against their bounds:
// that is for Problems. A list replaces the one before it, a map is merged.
func Decode(path string, doc, into any) []error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("setting: Decode needs a pointer to a struct, not %T", into))
	}
	return decode(path, doc, v.Elem())
}

// decode sets v from doc. A nil doc is what a file says that names a section and
// leaves it empty.
func decode(path string, doc any, v reflect.Value) []error {
	switch k := v.Kind(); {
	case k == reflect.Interface && v.NumMethod() == 0:
		if doc == nil {
			v.SetZero()
			return nil
		}
		v.Set(reflect.ValueOf(doc))
		return nil
	case k == reflect.Pointer:
		return decodePointer(path, doc, v)
	case scalar(v.Type()):
		if err := decodeScalar(doc, v); err != nil {
			return []error{at(path, err)}
		}
		return nil
	case doc == nil:
		return nil
	case k == reflect.Struct:
		return decodeStruct(path, doc, v)
	case k == reflect.Map:
		return decodeMap(path, doc, v)
	case k == reflect.Slice || k == reflect.Array:
		return decodeList(path, doc, v)
	}
	panic(fmt.Sprintf("setting: %s has the type %v, which no document can hold", path, v.Type()))
}

func decodePointer(path string, doc any, v reflect.Value) []error {
	if doc == nil {
		v.SetZero()
		return nil
	}
	fresh := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		fresh.Elem().Set(v.Elem())
	}
	errs := decode(path, doc, fresh.Elem())
	if len(errs) == 0 {
		v.Set(fresh)
	}
	return errs
}

func decodeStruct(path string, doc any, v reflect.Value) []error {
	tree, ok := doc.(map[string]any)
	if !ok {
		return []error{at(path, mismatch(doc, "names with values below it"))}
	}
	var errs []error
	known := map[string]reflect.Value{}
	collect(v, known)
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		if field, ok := known[key]; ok {
			errs = append(errs, decode(join(path, key), tree[key], field)...)
			continue
		}
		errs = append(errs, noSuchKey(join(path, key), key, slices.Sorted(maps.Keys(known))))
	}
	return errs
}

// collect finds the fields of v by their names in files, through embedded structs.
func collect(v reflect.Value, into map[string]reflect.Value) {
	for _, f := range fields(v.Type()) {
		if n := name(f); n != "" {
			into[n] = v.FieldByIndex(f.Index)
			continue
		}
		collect(v.FieldByIndex(f.Index), into)
	}
}

// noSuchKey is the error for a name that is none of known.
func noSuchKey(path, key string, known []string) error {
	best, least := "", len(key)/3+2 // farther is no likely slip of the finger
	for _, k := range known {
		d := distance(key, k)
		if strings.HasPrefix(k, key) || strings.HasPrefix(key, k) {
			d = min(d, 2)
		}
		if d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Errorf("%s: no such key; did you mean %s?", path, best)
	}
	return fmt.Errorf("%s: no such key; want one of %s", path, strings.Join(known, ", "))
}

func decodeMap(path string, doc any, v reflect.Value) []error {
	tree, ok := doc.(map[string]any)
	if !ok {
		return []error{at(path, mismatch(doc, "names with values below it"))}
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(v.Type(), len(tree)))
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		k := reflect.ValueOf(key).Convert(v.Type().Key())
		entry := reflect.New(v.Type().Elem()).Elem()
		if old := v.MapIndex(k); old.IsValid() {
			entry.Set(old)
		}
		errs = append(errs, decode(join(path, key), tree[key], entry)...)
		v.SetMapIndex(k, entry)
	}
	return errs
}

func decodeList(path string, doc any, v reflect.Value) []error {
	list, ok := doc.([]any)
	if !ok {
		return []error{at(path, mismatch(doc, "a list"))}
	}
	if v.Kind() == reflect.Array && len(list) != v.Len() {
		return []error{fmt.Errorf("%s: %d entries; want %d", path, len(list), v.Len())}
	}
	fresh := reflect.New(v.Type()).Elem()
	if v.Kind() == reflect.Slice {
		fresh.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	}
	var errs []error
	for i, item := range list {
		errs = append(errs, decode(fmt.Sprintf("%s[%d]", path, i), item, fresh.Index(i))...)
	}
	v.Set(fresh)
	return errs
}

func decodeScalar(doc any, v reflect.Value) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return decodeText(doc, v, u)
	}
	switch {
	case v.Kind() == reflect.String:
		s, ok := doc.(string)
		if !ok {
			return mismatch(doc, "text")
		}
		v.SetString(s)
	case v.Kind() == reflect.Bool:
		b, ok := doc.(bool)
		if !ok {
			return mismatch(doc, "true or false")
		}
		v.SetBool(b)
	case v.CanFloat():
		return decodeFloat(doc, v)
	default:
		text, ok := number(doc)
		if !ok {
			return mismatch(doc, "a whole number")
		}
		return parse(v, text)
	}
	return nil
}

func decodeText(doc any, v reflect.Value, u encoding.TextUnmarshaler) error {
	if s, ok := doc.(string); ok {
		return u.UnmarshalText([]byte(s))
	}
	if v.Type() != durationType {
		return mismatch(doc, "text")
	}
	if n, ok := number(doc); ok {
		return fmt.Errorf("%s has no unit; want a duration such as %ss, %sm or 1h30m", n, n, n)
	}
	return mismatch(doc, "a duration such as 90s, 15m or 1h30m")
}

func decodeFloat(doc any, v reflect.Value) error {
	text, ok := number(doc)
	if !ok {
		return mismatch(doc, "a number")
	}
	if err := parse(v, text); err != nil {
		return err
	}
	if f := v.Float(); math.IsInf(f, 0) {
		return fmt.Errorf("%s is too large; want a number", text)
	}
	return nil
}

// number writes a number of a document as text; false if it is none.
func number(doc any) (string, bool) {
	switch n := doc.(type) {
	case json.Number:
		return n.String(), true
	case int64, uint64:
		return fmt.Sprint(n), true
	case float64:
		return strconv.FormatFloat(n, 'g', -1, 64), true
	}
	return "", false
}

// mismatch says what stands in a document where something else is wanted.
func mismatch(doc any, want string) error {
	var got string
	switch d := doc.(type) {
	case nil:
		got = "nothing"
	case bool:
		got = strconv.FormatBool(d)
	case string:
		got = strconv.Quote(shorten(d))
	case []any:
		got = "a list"
	case map[string]any:
		got = "names with values below it"
	default:
		n, ok := number(doc)
		if !ok {
			panic(fmt.Sprintf("setting: a document holds a %T", doc))
		}
		got = n
	}
	if _, isText := doc.(string); want == "text" && !isText && got != "nothing" && !strings.Contains(got, " ") {
		want += fmt.Sprintf(", so in quotes: %q", got)
	}
	return fmt.Errorf("%s; want %s", got, want)
}

// shorten keeps an error readable when somebody pastes a page.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// at puts the path before an error; the document's root has none.
func at(path string, err error) error {
	if path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
