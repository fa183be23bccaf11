package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindOfTheOutermost(t *testing.T) {
	inner := New("store.Save", Conflict, "stale", "revision %d is not %d", 3, 4)
	outer := &Error{Op: "delivery.Assign", Kind: Unavailable, Err: inner}
	for _, tt := range []struct {
		err    error
		kind   Kind
		reason string
	}{
		{inner, Conflict, "stale"},
		{fmt.Errorf("assign d1: %w", inner), Conflict, "stale"},
		{fmt.Errorf("assign d1: %w", outer), Unavailable, ""},
		{errors.New("nobody classified it"), Internal, ""},
	} {
		if got := KindOf(tt.err); got != tt.kind || ReasonOf(tt.err) != tt.reason || !Is(tt.err, tt.kind) {
			t.Errorf("%v is %v %q, want %v %q", tt.err, got, ReasonOf(tt.err), tt.kind, tt.reason)
		}
	}
	if Is(nil, Internal) {
		t.Error("no error is an internal one")
	}
}

func TestKindOfNilPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("KindOf(nil) gave a kind")
		}
	}()
	KindOf(nil)
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		err  Error
		want string
	}{
		{Error{Op: "a.B", Kind: NotFound}, "a.B: not found"},
		{Error{Op: "a.B", Kind: NotFound, Reason: "no_route"}, "a.B: no_route"},
		{Error{Op: "a.B", Err: errors.New("why")}, "a.B: why"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%+v reads %q, want %q", tt.err, got, tt.want)
		}
	}
	if got := Kind(99).String(); got != "kind 99" {
		t.Errorf("an unknown kind reads %q", got)
	}
}
