package dynamo

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

var _ fleet.AccountStore = (*AccountStore)(nil)

// AccountStore is a fleet.AccountStore in the table fleet-provider-accounts.
// The docks of a market are one partition of its index: there are tens of them,
// and they hardly change.
type AccountStore struct{ db *DB }

// NewAccountStore returns the store in the tables of db.
func NewAccountStore(db *DB) *AccountStore { return &AccountStore{db} }

const (
	accountPrefix = "account/"
	dockPrefix    = "dock/"
)

// Account implements fleet.AccountStore.
func (s *AccountStore) Account(ctx context.Context, id fleet.AccountID) (a fleet.Account, err error) {
	const op = "dynamo.Account"
	if err := checkID(op, "account", string(id)); err != nil {
		return a, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	i, err := s.db.get(ctx, op, s.db.tables.accounts(), accountPrefix+string(id))
	if err != nil {
		return a, err
	}
	if i == nil {
		return a, fault.New(op, fault.NotFound, "", "there is no account %q", id)
	}
	return accountOf(op, i)
}

// SaveAccount implements fleet.AccountStore.
func (s *AccountStore) SaveAccount(ctx context.Context, a fleet.Account) error {
	const op = "dynamo.SaveAccount"
	if err := checkID(op, "account", string(a.ID)); err != nil {
		return err
	}
	return s.save(ctx, op, accountPrefix+string(a.ID), item{}, a)
}

// Docks implements fleet.AccountStore. It reads an index, which lags.
func (s *AccountStore) Docks(ctx context.Context, m market.ID) ([]fleet.Dock, error) {
	const op = "dynamo.Docks"
	if err := checkID(op, "market", string(m)); err != nil {
		return nil, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	items, err := s.db.ask(query{
		op: op, table: s.db.tables.accounts(), index: indexMarket, partition: attrMarket, value: dockPrefix + string(m),
	}).rest(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]fleet.Dock, len(items))
	for n, i := range items {
		if out[n], err = dockOf(op, i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SaveDock implements fleet.AccountStore.
func (s *AccountStore) SaveDock(ctx context.Context, d fleet.Dock) error {
	const op = "dynamo.SaveDock"
	if err := cmp.Or(checkID(op, "dock", string(d.ID)), checkID(op, "market", string(d.Market))); err != nil {
		return err
	}
	return s.save(ctx, op, dockPrefix+string(d.ID), item{attrMarket: text(dockPrefix + string(d.Market))}, d)
}

// save creates or replaces an item. To do that twice does no harm.
func (s *AccountStore) save(ctx context.Context, op, pk string, i item, v any) (err error) {
	i[attrKey] = text(pk)
	if i[attrDoc], err = document(op, pk, v); err != nil {
		return err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	_, err = s.db.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.db.tables.accounts()), Item: i})
	return translate(op, err)
}

// accountOf returns the account that an item keeps.
func accountOf(op string, i item) (a fleet.Account, err error) {
	if err := parse(op, i, &a); err != nil {
		return fleet.Account{}, err
	}
	if k := keyOf(i); k != accountPrefix+string(a.ID) {
		return fleet.Account{}, badItem(op, k, "it holds account %s", quote(string(a.ID)))
	}
	return a, nil
}

// dockOf returns the dock that an item keeps.
func dockOf(op string, i item) (d fleet.Dock, err error) {
	if err := parse(op, i, &d); err != nil {
		return fleet.Dock{}, err
	}
	if k := keyOf(i); k != dockPrefix+string(d.ID) {
		return fleet.Dock{}, badItem(op, k, "it holds dock %s", quote(string(d.ID)))
	}
	return d, nil
}
