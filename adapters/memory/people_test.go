package memory

import (
	"testing"

	"footway/core/porttest"
)

func TestPeopleStore(t *testing.T) {
	porttest.Accounts(t, func(*testing.T) porttest.People { return NewPeopleStore() })
}
