package memory_test

import (
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/integration"
	"footway/core/porttest"
)

func TestPartnerLog(t *testing.T) {
	porttest.PartnerLog(t, func(_ *testing.T, c clock.Clock) integration.Log { return memory.NewPartnerLog(c) })
}

func TestLogReader(t *testing.T) {
	porttest.LogReader(t, func(_ *testing.T, c clock.Clock) porttest.ReadableLog { return memory.NewPartnerLog(c) })
}
