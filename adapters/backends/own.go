package backends

import (
	"context"
	"errors"
	"testing"
)

// Own starts a server for one test, which may kill it, and stops it when the
// test is over. Where the machine does not have the program it skips the test;
// under CI=true it fails it.
func Own(tb testing.TB, k Kind) *Server {
	tb.Helper()
	s, err := Start(tb.Context(), k, Options{})
	if missing := new(MissingError); errors.As(err, &missing) {
		notRun(tb, "%v", missing)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the log of %s ends:\n%s", k.Name(), tailOf(s.Log()))
		}
		if err := s.Stop(context.Background()); err != nil { // the test's context is done by now
			tb.Error(err)
		}
	})
	return s
}
