package setting

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

// Pair is a name and its value in a document whose names are in order. A value is nil, bool, int64, uint64, float64, json.Number,
// string, []any or []Pair.
type Pair struct {
	Name  string
	Value any
}

// Difference returns what a document says that Decode makes v of, read over base: what v has otherwise than base, in the order of
// its fields. Both are structs of one type. What base has in a map, and v has not, no document can say: that is left out.
func Difference(base, v any) []Pair {
	return differences(nil, reflect.Indirect(reflect.ValueOf(base)), reflect.Indirect(reflect.ValueOf(v)))
}

func differences(to []Pair, base, v reflect.Value) []Pair {
	for _, f := range fields(v.Type()) {
		was, is := base.FieldByIndex(f.Index), v.FieldByIndex(f.Index)
		switch {
		case name(f) == "":
			to = differences(to, was, is)
		case is.Kind() == reflect.Struct && !scalar(is.Type()):
			if below := differences(nil, was, is); len(below) > 0 {
				to = append(to, Pair{name(f), below})
			}
		case !reflect.DeepEqual(was.Interface(), is.Interface()):
			to = append(to, Pair{name(f), document(is)})
		}
	}
	return to
}

// document returns v as a document says it.
func document(v reflect.Value) any {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok && v.Kind() != reflect.Pointer {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	switch k := v.Kind(); {
	case (k == reflect.Pointer || k == reflect.Interface) && v.IsNil():
		return nil
	case k == reflect.Pointer || k == reflect.Interface:
		return document(v.Elem())
	case k == reflect.Bool:
		return v.Bool()
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.CanFloat():
		return v.Float()
	case k == reflect.String:
		if number, ok := v.Interface().(json.Number); ok {
			return number
		}
		return v.String()
	case k == reflect.Struct:
		return differences([]Pair{}, reflect.Zero(v.Type()), v)
	case k == reflect.Map:
		pairs := []Pair{}
		for _, key := range sortedKeys(v) {
			pairs = append(pairs, Pair{key.String(), document(v.MapIndex(key))})
		}
		return pairs
	case k == reflect.Slice || k == reflect.Array:
		list := []any{}
		for i := range v.Len() {
			list = append(list, document(v.Index(i)))
		}
		return list
	}
	panic(fmt.Sprintf("setting: no document can hold a %v", v.Type()))
}
