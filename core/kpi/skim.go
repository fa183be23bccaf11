package kpi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// skim calls field with the name and the raw value of each field of a JSON
// object, without decoding what nobody asks for: a collector reads a few fields
// of every event of a run, and encoding/json would take most of the run's time.
// It reads what encoding/json writes; white space between tokens it does not.
func skim(object []byte, field func(name, value []byte) error) error {
	if len(object) < 2 || object[0] != '{' {
		return fmt.Errorf("%.20q is not an object", object)
	}
	rest := object[1:]
	if rest[0] == '}' {
		return nil
	}
	for {
		n := value(rest)
		if n < 2 || rest[0] != '"' || n >= len(rest) || rest[n] != ':' {
			return fmt.Errorf("%.20q: want a field", rest)
		}
		name := rest[1 : n-1]
		rest = rest[n+1:]
		n = value(rest)
		if n <= 0 || n >= len(rest) {
			return fmt.Errorf("%s: no value", name)
		}
		if err := field(name, rest[:n]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if rest[n] == '}' {
			return nil
		}
		if rest[n] != ',' {
			return fmt.Errorf("%.20q: want , or }", rest[n:])
		}
		rest = rest[n+1:]
	}
}

// value returns the size of the JSON value at the beginning of b; 0 if it does
// not end. Of arrays and objects it only counts brackets outside strings.
func value(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := quoted(b[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
			if depth == 0 {
				return i + 1
			}
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				return i // the end of what the value is in
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return 0
}

// quoted returns the size of the string at the beginning of b; 0 if it does not end.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// word sets s to a JSON string.
func word[S ~string](s *S, v []byte) error {
	if len(v) < 2 || v[0] != '"' {
		return fmt.Errorf("%.20q is not a string", v)
	}
	for _, c := range v {
		if c == '\\' {
			return json.Unmarshal(v, s)
		}
	}
	if inner := v[1 : len(v)-1]; string(*s) != string(inner) {
		*s = S(inner)
	}
	return nil
}

// whole sets n to a JSON number without fraction.
func whole[N ~int64](n *N, v []byte) error {
	i, err := strconv.ParseInt(string(v), 10, 64) // does not copy v
	if err != nil {
		return fmt.Errorf("%.20q is not a whole number", v)
	}
	*n = N(i)
	return nil
}

// truth sets b to a JSON boolean.
func truth(b *bool, v []byte) error {
	*b = string(v) == "true"
	if !*b && string(v) != "false" {
		return fmt.Errorf("%.20q is not true or false", v)
	}
	return nil
}

// offsets returns a JSON array of whole numbers in 32 bits.
func offsets(v []byte) ([]int32, error) {
	var all []int32
	n, digits, sign := int64(0), 0, int64(1)
	for _, c := range v {
		switch {
		case c == '-' && digits == 0:
			sign = -1
		case c >= '0' && c <= '9':
			if n, digits = n*10+int64(c-'0'), digits+1; digits > 10 {
				return nil, errors.New("a number of more than 32 bits")
			}
		case c == ',' || c == ']' || c == '[':
			if digits > 0 {
				all = append(all, int32(sign*n))
			}
			n, digits, sign = 0, 0, 1
		case string(v) == "null":
			return nil, nil
		default:
			return nil, fmt.Errorf("%q in an array of whole numbers", c)
		}
	}
	return all, nil
}
