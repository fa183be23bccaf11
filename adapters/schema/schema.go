// Package schema describes files to people and editors: it makes a JSON Schema
// (draft 2020-12) and a reference page of a struct from what its tags say, see
// core/setting. It does not check files; that is for the program.
package schema

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"footway/core/clock"
)

// Options say what a schema is about.
type Options struct {
	Title string
	About string
	// Partial makes no key required: the file lies over defaults.
	Partial bool
	// As gives the type of values that Go leaves open, by path, such as
	// "settings" or "expect[].kpi": a struct for its keys, []string for its words.
	As map[string]any
}

// object is one JSON Schema.
type object struct {
	Schema               string            `json:"$schema,omitempty"`
	Title                string            `json:"title,omitempty"`
	Ref                  string            `json:"$ref,omitempty"`
	Description          string            `json:"description,omitempty"`
	Type                 any               `json:"type,omitempty"`
	Properties           properties        `json:"properties,omitempty"`
	AdditionalProperties any               `json:"additionalProperties,omitempty"`
	Required             []string          `json:"required,omitempty"`
	Items                *object           `json:"items,omitempty"`
	Pattern              string            `json:"pattern,omitempty"`
	Enum                 []string          `json:"enum,omitempty"`
	Minimum              json.Number       `json:"minimum,omitempty"`
	Maximum              json.Number       `json:"maximum,omitempty"`
	Default              any               `json:"default,omitempty"`
	Defs                 map[string]object `json:"$defs,omitempty"`
}

// durationPattern is what clock.ParseDuration reads, without signs.
const durationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`

// Generate returns the JSON Schema of files that set v, a struct whose values are the defaults.
func Generate(v any, o Options) ([]byte, error) {
	g := generator{o: o, defs: map[string]object{}}
	root := g.structure("", reflect.ValueOf(v))
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title, root.Description = o.Title, o.About
	if len(g.defs) > 0 {
		root.Defs = g.defs
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

type generator struct {
	o    Options
	defs map[string]object
}

// structure describes a struct. Nil parts of a file, such as a section with
// all its keys commented out, are fine.
func (g *generator) structure(path string, v reflect.Value) object {
	o := object{Type: "object", AdditionalProperties: false}
	if path != "" {
		o.Type = []string{"object", "null"}
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := keyOf(f)
		if name == "" {
			continue
		}
		at := name
		if path != "" {
			at = path + "." + name
		}
		o.Properties = append(o.Properties, property{name, g.value(at, v.Field(i), f.Tag)})
		if f.Tag.Get("required") != "" && !g.o.Partial {
			o.Required = append(o.Required, name)
		}
	}
	return o
}

// keyOf returns the name of a field in files, or "" if it has none.
func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.IsExported() || name == "-" {
		return ""
	}
	return name
}

// value describes what may stand at path.
func (g *generator) value(path string, v reflect.Value, tag reflect.StructTag) object {
	o := g.kind(path, v, tag)
	o.Description = describe(tag)
	return o
}

func (g *generator) kind(path string, v reflect.Value, tag reflect.StructTag) object {
	as, open := g.o.As[path]
	words, isWords := as.([]string)
	switch {
	case isWords:
		return object{Type: "string", Enum: words}
	case open:
		return g.section(path, reflect.ValueOf(as), true)
	case isScalar(v.Type()):
		return scalar(v, tag)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return g.kind(path, reflect.New(v.Type().Elem()).Elem(), tag)
	case reflect.Struct:
		return g.section(path, v, false)
	case reflect.Slice:
		item := g.value(path+"[]", reflect.New(v.Type().Elem()).Elem(), "")
		return object{Type: []string{"array", "null"}, Items: &item}
	case reflect.Map:
		item := g.value(path+".*", reflect.New(v.Type().Elem()).Elem(), "")
		return object{Type: []string{"object", "null"}, AdditionalProperties: &item}
	}
	return object{}
}

// section describes a struct in its place, where its values are defaults.
// Those that stand in many places, with the same defaults or none, are put aside.
func (g *generator) section(path string, v reflect.Value, shared bool) object {
	if !shared && !v.IsZero() {
		return g.structure(path, v)
	}
	name := v.Type().String()
	if _, ok := g.defs[name]; !ok {
		g.defs[name] = object{} // so that a type within itself ends
		g.defs[name] = g.structure(path, v)
	}
	return object{Ref: "#/$defs/" + name}
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// isScalar reports whether values of t are written as one word.
func isScalar(t reflect.Type) bool {
	return isText(t) || t.Kind() == reflect.String || reflect.Bool <= t.Kind() && t.Kind() <= reflect.Float64
}

func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// scalar describes a single value.
func scalar(v reflect.Value, tag reflect.StructTag) object {
	var o object
	switch k := v.Kind(); {
	case v.Type() == reflect.TypeFor[clock.Duration]():
		o = object{Type: "string", Pattern: durationPattern}
	case isText(v.Type()) || k == reflect.String:
		o = object{Type: "string"}
		if words := tag.Get("enum"); words != "" {
			o.Enum = wordsOf(words)
		}
	case k == reflect.Bool:
		o = object{Type: "boolean"}
	case k == reflect.Float32 || k == reflect.Float64:
		o = object{Type: "number"}
	default:
		o = object{Type: "integer"}
	}
	if o.Type == "integer" || o.Type == "number" {
		o.Minimum, o.Maximum = json.Number(tag.Get("min")), json.Number(tag.Get("max"))
		if v.CanUint() && o.Minimum == "" {
			o.Minimum = "0"
		}
	}
	if tag.Get("required") == "" && !(v.Kind() == reflect.String && v.Len() == 0) {
		o.Default = plain(v)
	}
	return o
}

// wordsOf splits an enum. The empty word means that the key is left out.
func wordsOf(enum string) []string {
	return strings.FieldsFunc(enum, func(c rune) bool { return c == ',' })
}

// plain returns v as JSON writes it.
func plain(v reflect.Value) any {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return v.Interface()
}

// describe puts unit and bounds after the sentence, for bounds that a schema cannot hold.
func describe(tag reflect.StructTag) string {
	text := tag.Get("doc")
	unit, low, high := tag.Get("unit"), tag.Get("min"), tag.Get("max")
	if _, err := strconv.ParseFloat(low+high, 64); err == nil || low+high == "" {
		low, high = "", "" // minimum and maximum say it
	}
	var more []string
	if low != "" {
		more = append(more, "from "+low)
	}
	if high != "" {
		more = append(more, "to "+high)
	}
	if unit != "" && unit != "duration" {
		more = append(more, "in "+unit)
	}
	if len(more) > 0 {
		text = strings.TrimSpace(text + " (" + strings.Join(more, " ") + ")")
	}
	return text
}

// properties keeps the order of the fields, which is the order in which people read.
type properties []property

type property struct {
	name string
	object
}

// MarshalJSON writes an object.
func (p properties) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range p {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, m.name), ':')
		inner, err := json.Marshal(m.object)
		if err != nil {
			return nil, err
		}
		b = append(b, inner...)
	}
	return slices.Concat(b, []byte{'}'}), nil
}
