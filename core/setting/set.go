package setting

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Set changes the one setting at path in v, a pointer to a struct, to value as
// a person writes it: "30s", "12", "true", a word, or JSON for lists. Elements
// of lists are named as Problems names them, such as "hours[0].opens". On an
// unknown path, a value of another type or one out of bounds, v stays as it was.
func Set(v any, path, value string) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("setting: Set needs a pointer to a struct, not %T", v))
	}
	return assign(p.Elem(), "", path, value, path, Fields(v))
}

// assign sets what rest names below v, which tag describes. full and known are for errors.
func assign(v reflect.Value, tag reflect.StructTag, rest, value, full string, known []Field) error {
	if rest == "" {
		return assignLeaf(v, tag, value, full, known)
	}
	switch v.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			fresh.Elem().Set(v.Elem())
		}
		if err := assign(fresh.Elem(), tag, rest, value, full, known); err != nil {
			return err
		}
		v.Set(fresh)
		return nil
	case reflect.Struct:
		for _, f := range fields(v.Type()) {
			if below, ok := under(rest, name(f)); ok {
				if err := assign(v.FieldByIndex(f.Index), f.Tag, below, value, full, known); name(f) != "" || err == nil {
					return err
				}
			}
		}
	case reflect.Slice, reflect.Array:
		index, below, ok := strings.Cut(strings.TrimPrefix(rest, "["), "]")
		i, err := strconv.Atoi(index)
		if ok && err == nil && 0 <= i && i < v.Len() {
			return assign(v.Index(i), element(tag), strings.TrimPrefix(below, "."), value, full, known)
		}
		return fmt.Errorf("%s: no such entry; the list has %d, numbered from 0", full, v.Len())
	case reflect.Map:
		key, below, _ := strings.Cut(rest, ".")
		k := reflect.ValueOf(key).Convert(v.Type().Key())
		entry := reflect.New(v.Type().Elem()).Elem()
		if old := v.MapIndex(k); old.IsValid() {
			entry.Set(old)
		}
		if err := assign(entry, element(tag), below, value, full, known); err != nil {
			return err
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		v.SetMapIndex(k, entry)
		return nil
	}
	return unknown(full, known)
}

func assignLeaf(v reflect.Value, tag reflect.StructTag, value, full string, known []Field) error {
	if v.Kind() == reflect.Struct && !scalar(v.Type()) {
		return unknown(full, known)
	}
	fresh := reflect.New(v.Type()).Elem()
	if err := parse(fresh, value); err != nil {
		return fmt.Errorf("%s: %w; %s", full, err, want(tag))
	}
	if errs := walk(fresh, full, tag); len(errs) > 0 {
		return errs[0]
	}
	v.Set(fresh)
	return nil
}

// under reports whether path is name or below it, and returns what is left.
func under(path, name string) (string, bool) {
	if name == "" {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, name)
	switch {
	case !ok:
		return "", false
	case rest == "" || rest[0] == '[':
		return rest, true
	}
	return strings.CutPrefix(rest, ".")
}

// unknown is the error for a path that names no setting.
func unknown(path string, known []Field) error {
	best, least := "", len(path)/3+2 // farther is no likely slip of the finger
	for _, f := range known {
		d := distance(path, f.Path)
		if strings.HasSuffix(f.Path, "."+path) || strings.HasPrefix(f.Path, path+".") {
			d = 1
		}
		if d < least {
			best, least = f.Path, d
		}
	}
	if best == "" {
		return fmt.Errorf("%s: no such setting", path)
	}
	return fmt.Errorf("%s: no such setting; did you mean %s?", path, best)
}

// distance is the number of single-letter edits between a and b (Wagner and
// Fischer, "The string-to-string correction problem", J. ACM 1974).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
