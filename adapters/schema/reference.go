package schema

import (
	"fmt"
	"reflect"
	"strings"

	"footway/core/clock"
)

// Reference returns tables in Markdown of what files can set in v, a struct
// whose values are the defaults: one table for each section.
func Reference(v any, o Options) []byte {
	r := reference{o: o, seen: map[reflect.Type]bool{}}
	r.section("", "", reflect.ValueOf(v))
	return []byte(r.b.String())
}

type reference struct {
	o    Options
	b    strings.Builder
	seen map[reflect.Type]bool
}

// below is a section that is written after the table that mentions it.
type below struct {
	path, doc string
	v         reflect.Value
}

// section writes the table of a struct, then those of the structs in it.
func (r *reference) section(path, doc string, v reflect.Value) {
	if path != "" {
		fmt.Fprintf(&r.b, "\n## `%s`\n\n", path)
		if doc != "" {
			fmt.Fprintf(&r.b, "%s\n\n", doc)
		}
	}
	if v.IsZero() { // the same in every place
		if r.seen[v.Type()] {
			fmt.Fprintf(&r.b, "As above: a %s.\n", strings.ToLower(v.Type().Name()))
			return
		}
		r.seen[v.Type()] = true
	}
	r.b.WriteString("| key | type | unit | default | range | meaning |\n|---|---|---|---|---|---|\n")
	var later []below
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := keyOf(f)
		if name == "" {
			continue
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		if b, ok := r.row(at, name, v.Field(i), f.Tag); ok {
			later = append(later, b)
		}
	}
	for _, b := range later {
		r.section(b.path, b.doc, b.v)
	}
}

// row writes one line of a table, and returns the section that it leads to, if any.
func (r *reference) row(path, name string, v reflect.Value, tag reflect.StructTag) (below, bool) {
	doc := strings.ReplaceAll(tag.Get("doc"), "|", `\|`)
	kind, more, leads := r.typeOf(path, v)
	more.doc = doc
	def := ""
	switch {
	case tag.Get("required") != "" && !r.o.Partial:
		def = "required"
	case isCompact(v):
		def = compact(v)
	case leads && v.Kind() == reflect.Struct, v.Kind() == reflect.Slice, v.Kind() == reflect.Map, v.Kind() == reflect.Pointer, v.Kind() == reflect.Interface:
	case v.Kind() == reflect.String && v.Len() == 0:
	default:
		def = fmt.Sprintf("`%v`", plain(v))
	}
	unit := tag.Get("unit")
	if unit == "duration" {
		unit = ""
	}
	fmt.Fprintf(&r.b, "| `%s` | %s | %s | %s | %s | %s |\n", name, kind, unit, def, rangeOf(tag), doc)
	return more, leads
}

// typeOf says in words what may stand at path.
func (r *reference) typeOf(path string, v reflect.Value) (kind string, more below, leads bool) {
	if as, ok := r.o.As[path]; ok {
		if words, ok := as.([]string); ok {
			return fmt.Sprintf("one of %d words", len(words)), below{}, false
		}
		return "section", below{}, false // its keys are documented elsewhere
	}
	t := v.Type()
	switch {
	case t == reflect.TypeFor[clock.Duration]():
		return "duration", below{}, false
	case t.Kind() == reflect.Struct && isCompact(v):
		return "durations", below{}, false
	case isText(t) || t.Kind() == reflect.String:
		return "text", below{}, false
	}
	switch t.Kind() {
	case reflect.Struct:
		return "section", below{path: path, v: v}, true
	case reflect.Slice:
		return "list", below{path: path + "[]", v: reflect.New(t.Elem()).Elem()}, t.Elem().Kind() == reflect.Struct
	case reflect.Map:
		return "names", below{path: path + ".*", v: reflect.New(t.Elem()).Elem()}, t.Elem().Kind() == reflect.Struct
	case reflect.Pointer:
		return r.typeOf(path, reflect.New(t.Elem()).Elem())
	case reflect.Bool:
		return "true or false", below{}, false
	case reflect.Float32, reflect.Float64:
		return "number", below{}, false
	case reflect.Interface:
		return "anything", below{}, false
	}
	return "whole number", below{}, false
}

func rangeOf(tag reflect.StructTag) string {
	low, high := tag.Get("min"), tag.Get("max")
	switch {
	case tag.Get("enum") != "":
		return "`" + strings.Join(wordsOf(tag.Get("enum")), "`, `") + "`"
	case low != "" && high != "":
		return low + " to " + high
	case low != "":
		return "from " + low
	case high != "":
		return "to " + high
	}
	return ""
}

// isCompact reports whether v is a struct of durations that need no words, such
// as the quantiles of a distribution: it fits in its line.
func isCompact(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type != reflect.TypeFor[clock.Duration]() || f.Tag.Get("doc") != "" {
			return false
		}
	}
	return true
}

// compact writes such a struct as a file does.
func compact(v reflect.Value) string {
	var words []string
	for i := range v.NumField() {
		words = append(words, fmt.Sprintf("%s: %v", keyOf(v.Type().Field(i)), v.Field(i).Interface()))
	}
	return "`{" + strings.Join(words, ", ") + "}`"
}
