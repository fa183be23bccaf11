// Package setting reads what settings say of themselves in their struct tags:
// it checks values against them, lists them for documents and sliders, and
// changes one by its path. It does not know where settings come from.
//
// A field is described by these tags:
//
//	json:"round_every"   its name in files and paths
//	min:"1s" max:"10m"   the bounds, both included, in the words of its type
//	enum:"nearest,rolling"
//	required:"true"      it may not be empty
//	unit:"cents"         for people
//	doc:"…"              one sentence: what it does and where the default comes from
//
// On a slice the bounds and the enum hold for each element.
package setting

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"footway/core/clock"
)

// Field describes one setting.
type Field struct {
	Path     string   `json:"path"` // such as "dispatch.round_every"
	Type     string   `json:"type"` // "duration", "integer", "number", "string", "boolean" or "list"
	Unit     string   `json:"unit,omitempty"`
	Min      string   `json:"min,omitempty"`
	Max      string   `json:"max,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Required bool     `json:"required,omitempty"`
	Doc      string   `json:"doc,omitempty"`
	Default  string   `json:"default"` // the value in the struct that was given
}

// checker is a type with rules that tags cannot say, such as one between two
// fields. It must not call Problems of this package, which calls it.
type checker interface {
	Problems(path string) []error
}

var (
	durationType = reflect.TypeFor[clock.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// Problems returns everything that is wrong with v, a struct or a pointer to
// one, in the order of its fields: values against their tags, then the rules
// of each type's own Problems method. Each error begins with the path of its
// field, which is path and the names below it.
func Problems(path string, v any) []error {
	return walk(reflect.ValueOf(v), path, "")
}

// walk checks v, which tag describes, and what is below it.
func walk(v reflect.Value, path string, tag reflect.StructTag) []error {
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		if tag.Get("required") != "" {
			return []error{fmt.Errorf("%s: missing; %s", path, want(tag))}
		}
		return nil
	}
	if v.Kind() == reflect.Pointer {
		return walk(v.Elem(), path, tag)
	}
	var errs []error
	switch {
	case scalar(v.Type()):
		errs = appendError(errs, checkScalar(v, path, tag))
	case v.Kind() == reflect.Struct:
		for _, f := range fields(v.Type()) {
			errs = append(errs, walk(v.FieldByIndex(f.Index), join(path, name(f)), f.Tag)...)
		}
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		errs = appendError(errs, checkFilled(v, path, tag))
		for i := range v.Len() {
			errs = append(errs, walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), element(tag))...)
		}
	case v.Kind() == reflect.Map:
		errs = appendError(errs, checkFilled(v, path, tag))
		for _, k := range sortedKeys(v) {
			errs = append(errs, walk(v.MapIndex(k), join(path, k.String()), element(tag))...)
		}
	}
	if c, ok := v.Interface().(checker); ok {
		errs = append(errs, c.Problems(path)...)
	}
	return errs
}

// Fields lists the settings in v, a struct or a pointer to one, in the order
// of its fields. Slices and maps are one setting each.
func Fields(v any) []Field {
	return list(nil, reflect.Indirect(reflect.ValueOf(v)), "")
}

func list(to []Field, v reflect.Value, path string) []Field {
	for _, f := range fields(v.Type()) {
		value, at := v.FieldByIndex(f.Index), join(path, name(f))
		if value.Kind() == reflect.Struct && !scalar(value.Type()) {
			to = list(to, value, at)
			continue
		}
		entry := Field{Path: at, Type: typeName(value.Type()), Unit: f.Tag.Get("unit"), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
			Required: f.Tag.Get("required") != "", Doc: f.Tag.Get("doc"), Default: format(value)}
		if enum, ok := f.Tag.Lookup("enum"); ok {
			entry.Enum = strings.Split(enum, ",")
		}
		to = append(to, entry)
	}
	return to
}

// fields returns the fields of a struct that have a name in files.
func fields(t reflect.Type) []reflect.StructField {
	all := make([]reflect.StructField, 0, t.NumField())
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
			all = append(all, f)
		}
	}
	return all
}

// name returns the name of f in files; "" for an embedded struct, whose
// fields count as those of the struct around it.
func name(f reflect.StructField) string {
	n, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if n == "" && !f.Anonymous {
		return f.Name
	}
	return n
}

func join(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}

// scalar reports whether a value of type t is written as one word.
func scalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return reflect.PointerTo(t).Implements(textType)
}

func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return typeName(t.Elem())
	}
	switch k := t.Kind(); {
	case t == durationType:
		return "duration"
	case !scalar(t):
		return "list"
	case k == reflect.Bool:
		return "boolean"
	case k >= reflect.Int && k <= reflect.Uint64 && !reflect.PointerTo(t).Implements(textType):
		return "integer"
	case k == reflect.Float32 || k == reflect.Float64:
		return "number"
	}
	return "string"
}

func sortedKeys(v reflect.Value) []reflect.Value {
	//detlint:allow the keys are sorted before anybody sees them
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

func appendError(to []error, err error) []error {
	if err == nil {
		return to
	}
	return append(to, err)
}
