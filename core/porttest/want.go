package porttest

import (
	"testing"

	"footway/core/fault"
)

// wantKind reports unless err is of the kind.
func wantKind(t *testing.T, what string, err error, k fault.Kind) {
	t.Helper()
	if !fault.Is(err, k) {
		t.Errorf("%s: got error %v, want one of kind %v", what, err, k)
	}
}
