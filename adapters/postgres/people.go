package postgres

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"footway/core/account"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/merchant"
)

// PeopleStore keeps accounts, sessions and tries in the database Deliveries. It is
// safe for concurrent use.
type PeopleStore struct{ db *DB }

var (
	_ account.Store        = (*PeopleStore)(nil)
	_ account.Team         = (*PeopleStore)(nil)
	_ account.SessionStore = (*PeopleStore)(nil)
	_ account.TryStore     = (*PeopleStore)(nil)
)

// NewPeopleStore returns the store that db holds.
func NewPeopleStore(db *DB) *PeopleStore { return &PeopleStore{db} }

const selectAccount = `SELECT doc, revision FROM accounts WHERE `

var scanAccount = documents(func(a *account.Account, r uint64) { a.Revision = r })

// find returns the only account of a query. What it is looked for by is in no error: it may be an email.
func (s *PeopleStore) find(ctx context.Context, op, where, by string) (account.Account, error) {
	var all []account.Account
	var err error
	if by != "" && !strings.Contains(by, "\x00") {
		all, err = list(ctx, s.db, op, scanAccount, selectAccount+where+` = $1`, by)
	}
	if err == nil && len(all) == 0 {
		err = fault.New(op, fault.NotFound, account.UnknownAccount, "there is no such account")
	}
	return first(all), err
}

// Account implements account.Store.
func (s *PeopleStore) Account(ctx context.Context, id account.ID) (account.Account, error) {
	return s.find(ctx, "postgres.Account", "id", string(id))
}

// Find implements account.Store.
func (s *PeopleStore) Find(ctx context.Context, w account.Wanted) (account.Account, error) {
	const op = "postgres.FindAccount"
	switch {
	case w.Email != "":
		return s.find(ctx, op, "email", w.Email)
	case w.Invited != "":
		return s.find(ctx, op, "invited", w.Invited)
	}
	return s.find(ctx, op, "subject", w.Subject)
}

// Create implements account.Store.
func (s *PeopleStore) Create(ctx context.Context, a account.Account) error {
	const op = "postgres.CreateAccount"
	doc, err := json.Marshal(a)
	if err != nil {
		return fault.New(op, fault.Internal, "", "an account cannot be written down")
	}
	written, err := s.db.exec(ctx, op, `INSERT INTO accounts (id, email, subject, invited, partner, business, doc, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING`, a.ID, a.Email, a.Subject, a.Invited, a.Business.Partner, a.Business.ID, doc)
	if err == nil && written == 0 {
		err = fault.New(op, fault.Conflict, account.DuplicateEmail, "its id, email or subject is taken")
	}
	return err
}

// Save implements account.Store.
func (s *PeopleStore) Save(ctx context.Context, a account.Account) (uint64, error) {
	const op = "postgres.SaveAccount"
	doc, err := json.Marshal(a)
	if err != nil {
		return 0, fault.New(op, fault.Internal, "", "an account cannot be written down")
	}
	return s.db.replace(ctx, op, a.Revision, `UPDATE accounts
		SET email = $3, subject = $4, invited = $5, partner = $6, business = $7, doc = $8, revision = revision + 1
		WHERE revision = $1 AND id = $2 RETURNING revision`, a.ID, a.Email, a.Subject, a.Invited, a.Business.Partner, a.Business.ID, doc)
}

// Accounts implements account.Team.
func (s *PeopleStore) Accounts(ctx context.Context, k merchant.BusinessKey, limit int) ([]account.Account, error) {
	return list(ctx, s.db, "postgres.Accounts", scanAccount, selectAccount+`partner = $1 AND business = $2 ORDER BY email LIMIT $3`, k.Partner, k.ID, limit)
}

func scanSession(row pgx.CollectableRow) (se account.Session, err error) {
	err = row.Scan(&se.Digest, &se.Account, &se.CreatedAt, &se.SeenAt, &se.ExpiresAt)
	return se, err
}

// Session implements account.SessionStore.
func (s *PeopleStore) Session(ctx context.Context, digest string) (account.Session, error) {
	const op = "postgres.Session"
	all, err := list(ctx, s.db, op, scanSession, `SELECT digest, account, created_at, seen_at, expires_at FROM account_sessions WHERE digest = $1`, digest)
	if err == nil && len(all) == 0 {
		err = fault.New(op, fault.NotFound, account.SignedOut, "there is no such session")
	}
	return first(all), err
}

// SaveSession implements account.SessionStore.
func (s *PeopleStore) SaveSession(ctx context.Context, se account.Session) error {
	_, err := s.db.exec(ctx, "postgres.SaveSession", `INSERT INTO account_sessions (digest, account, created_at, seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO UPDATE SET account = $2, created_at = $3, seen_at = $4, expires_at = $5`,
		se.Digest, se.Account, se.CreatedAt, se.SeenAt, se.ExpiresAt)
	return err
}

// EndSession implements account.SessionStore.
func (s *PeopleStore) EndSession(ctx context.Context, digest string) error {
	_, err := s.db.exec(ctx, "postgres.EndSession", `DELETE FROM account_sessions WHERE digest = $1`, digest)
	return err
}

// EndSessions implements account.SessionStore.
func (s *PeopleStore) EndSessions(ctx context.Context, id account.ID, except string, t clock.Time) error {
	_, err := s.db.exec(ctx, "postgres.EndSessions", `DELETE FROM account_sessions WHERE expires_at < $3 OR ($1 <> '' AND account = $1 AND digest <> $2)`, id, except, t)
	return err
}

// AddTry implements account.TryStore. Of two at once each counts itself, and one at least the other.
func (s *PeopleStore) AddTry(ctx context.Context, key string, at, since clock.Time) (int, error) {
	const op = "postgres.AddTry"
	if _, err := s.db.exec(ctx, op, `INSERT INTO account_tries (key, at) VALUES ($1, $2)`, key, at); err != nil {
		return 0, err
	}
	all, err := list(ctx, s.db, op, pgx.RowTo[int], `SELECT count(*) FROM account_tries WHERE key = $1 AND at >= $2`, key, since)
	return first(all), err
}

// ForgetTries implements account.TryStore.
func (s *PeopleStore) ForgetTries(ctx context.Context, key string, t clock.Time) error {
	_, err := s.db.exec(ctx, "postgres.ForgetTries", `DELETE FROM account_tries WHERE at < $2 OR key = $1`, key, t)
	return err
}
