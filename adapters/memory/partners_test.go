package memory_test

import (
	"testing"

	"footway/adapters/memory"
	"footway/core/integration"
	"footway/core/porttest"
)

func TestRegistry(t *testing.T) {
	t.Run("partners", func(t *testing.T) {
		porttest.PartnerStore(t, func(*testing.T) integration.PartnerStore { return memory.NewRegistry() })
	})
	t.Run("keys", func(t *testing.T) {
		porttest.KeyStore(t, func(*testing.T) integration.KeyStore { return memory.NewRegistry() })
	})
	t.Run("endpoints", func(t *testing.T) {
		porttest.EndpointStore(t, func(*testing.T) integration.EndpointStore { return memory.NewRegistry() })
	})
	t.Run("secrets", func(t *testing.T) {
		porttest.SecretStore(t, func(*testing.T) integration.SecretStore { return memory.NewRegistry() })
	})
}

func TestLineStore(t *testing.T) {
	porttest.LineStore(t, func(*testing.T) porttest.LineAndEndStore { return memory.NewLineStore() })
}
