package dispatch_test

import (
	"testing"

	"footway/core/porttest"
)

// TestPorts runs the suite that every wire runs too.
func TestPorts(t *testing.T) {
	porttest.Dispatch(t, func(_ *testing.T, town *porttest.DispatchTown) porttest.DispatchPorts { return town.Service })
}
