package kpi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Value is one KPI of a run.
type Value struct {
	Name  string  `json:"-"`
	Value float64 `json:"value"`
	Unit  Unit    `json:"unit"`
}

// Result is the KPIs of a run that have a value, in the order of Definitions.
// As JSON it is an object from name to {value, unit}.
type Result []Value

// Compute returns all KPIs of a run that it has anything for.
func Compute(run *Run) Result {
	var res Result
	for _, d := range Definitions() {
		if v, ok := d.Of(run); ok {
			res = append(res, Value{d.Name, v, d.Unit})
		}
	}
	return res
}

// Get returns the value of a KPI, if it has one.
func (r Result) Get(name string) (float64, bool) {
	for _, v := range r {
		if v.Name == name {
			return v.Value, true
		}
	}
	return 0, false
}

// MarshalJSON writes the object, with names in order.
func (r Result) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, v := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("kpi %s: %w", v.Name, err)
		}
		fmt.Fprintf(&b, "%q:%s", v.Name, text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads the object. Names that are not defined come last.
func (r *Result) UnmarshalJSON(text []byte) error {
	var values map[string]Value
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	*r = nil
	for _, d := range Definitions() {
		if v, ok := values[d.Name]; ok {
			v.Name = d.Name
			*r = append(*r, v)
			delete(values, d.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		v.Name = name
		*r = append(*r, v)
	}
	return nil
}

// refusedReasons returns the reasons of a run's refusals in order.
func refusedReasons(run *Run) []string { return slices.Sorted(maps.Keys(run.Refused)) }
