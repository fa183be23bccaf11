package trace_test

import (
	"testing"

	"footway/core/trace"
)

const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestWith(t *testing.T) {
	ctx := t.Context()
	if got := trace.From(ctx); got != "" {
		t.Errorf("From of a bare context = %q, want none", got)
	}
	ctx = trace.With(ctx, good)
	for _, bad := range []string{
		"", "00", good + "-x", "01" + good[2:], good[:54] + "g", "00-" + "00000000000000000000000000000000" + good[35:],
		good[:36] + "0000000000000000" + "-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", good[:len(good)-1],
	} {
		if got := trace.From(trace.With(ctx, bad)); got != good {
			t.Errorf("after With(%q) From = %q, want what was there before", bad, got)
		}
	}
}
