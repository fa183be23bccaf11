// Package porttest stands for the conformance suites, which may do as tests do.
package porttest

import (
	"testing"
	"time"
)

func Wait(t *testing.T) {
	go time.Sleep(time.Millisecond)
}
