package journal_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"footway/adapters/journal"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/runlog"
	"footway/core/task"
)

// TestNoPersonalDataGoesOut holds what services put into events to identifiers, positions and
// words of programs: no type that keeps what belongs to a person is part of any event, since segments and
// viewers get events as they are.
func TestNoPersonalDataGoesOut(t *testing.T) {
	var person []reflect.Type // and everything in it that is no plain value
	collectTypes(reflect.TypeFor[delivery.Personal](), &person)
	if len(person) < 2 {
		t.Fatalf("personal data are of %d types, want the record and its parts", len(person))
	}
	for _, data := range []any{
		delivery.Update{}, delivery.RefusedEvent{}, delivery.IgnoredEvent{}, task.Change{}, dispatch.Decision{}, fleet.StateChange{}, fleet.Claim{},
		dispatch.SentToCharge{}, runlog.Pose{}, runlog.Leg{}, runlog.Halt{}, journal.Gap{},
	} {
		var held []reflect.Type
		collectTypes(reflect.TypeOf(data), &held)
		for _, h := range held {
			if slices.Contains(person, h) {
				t.Errorf("%T holds a %s, which is part of a person's data", data, h)
			}
			for i := range h.NumField() {
				for _, word := range []string{"name", "phone", "address", "email", "note", "instruction", "comment"} {
					if strings.Contains(strings.ToLower(h.Field(i).Name), word) {
						t.Errorf("%T has a field %s.%s", data, h, h.Field(i).Name)
					}
				}
			}
		}
	}
}

// collectTypes gathers the structs of which t is made.
func collectTypes(t reflect.Type, all *[]reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		collectTypes(t.Elem(), all)
	case reflect.Struct:
		if slices.Contains(*all, t) {
			return
		}
		*all = append(*all, t)
		for i := range t.NumField() {
			collectTypes(t.Field(i).Type, all)
		}
	}
}
