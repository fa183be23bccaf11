package postgres_test

import (
	"testing"

	"footway/adapters/postgres"
	"footway/adapters/vault"
	"footway/core/integration"
	"footway/core/porttest"
)

func TestRegistry(t *testing.T) {
	open := func(t *testing.T) *postgres.Registry { return postgres.NewRegistry(fresh(t, postgres.Integrations)) }
	t.Run("partners", func(t *testing.T) {
		porttest.PartnerStore(t, func(t *testing.T) integration.PartnerStore { return open(t) })
	})
	t.Run("keys", func(t *testing.T) {
		porttest.KeyStore(t, func(t *testing.T) integration.KeyStore { return open(t) })
	})
	t.Run("endpoints", func(t *testing.T) {
		porttest.EndpointStore(t, func(t *testing.T) integration.EndpointStore { return open(t) })
	})
}

// TestSealedSecrets tries the store as it is used: beneath what seals.
func TestSealedSecrets(t *testing.T) {
	porttest.SecretStore(t, func(t *testing.T) integration.SecretStore {
		s, err := vault.NewSealed(postgres.NewSealedSecrets(fresh(t, postgres.Integrations)), integration.SecretOf([]byte("a key of exactly thirty-two bytes")[:32]))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestLineStore(t *testing.T) {
	porttest.LineStore(t, func(t *testing.T) porttest.LineAndEndStore {
		return postgres.NewLineStore(fresh(t, postgres.Integrations))
	})
}
