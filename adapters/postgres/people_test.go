package postgres_test

import (
	"testing"

	"footway/adapters/postgres"
	"footway/core/porttest"
)

func TestPeopleStore(t *testing.T) {
	porttest.Accounts(t, func(t *testing.T) porttest.People { return postgres.NewPeopleStore(fresh(t, postgres.Deliveries)) })
}
