package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"footway/core/account"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/merchant"
)

// PeopleStore keeps accounts, sessions and tries. It is safe for concurrent use.
type PeopleStore struct {
	mu       sync.Mutex
	accounts map[account.ID]account.Account
	sessions map[string]account.Session
	tries    map[string][]clock.Time
}

var (
	_ account.Store        = (*PeopleStore)(nil)
	_ account.Team         = (*PeopleStore)(nil)
	_ account.SessionStore = (*PeopleStore)(nil)
	_ account.TryStore     = (*PeopleStore)(nil)
)

// NewPeopleStore returns an empty store.
func NewPeopleStore() *PeopleStore {
	return &PeopleStore{accounts: map[account.ID]account.Account{}, sessions: map[string]account.Session{}, tries: map[string][]clock.Time{}}
}

func noAccount(op string) error {
	return fault.New(op, fault.NotFound, account.UnknownAccount, "there is no such account")
}

// Account implements account.Store.
func (s *PeopleStore) Account(_ context.Context, id account.ID) (account.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return account.Account{}, noAccount("memory.Account")
	}
	return a.Clone(), nil
}

// Find implements account.Store.
func (s *PeopleStore) Find(_ context.Context, w account.Wanted) (account.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		switch {
		case w.Email != "" && a.Email == w.Email,
			w.Email == "" && w.Invited != "" && a.Invited == w.Invited,
			w.Email == "" && w.Invited == "" && w.Subject != "" && a.Subject == w.Subject:
			return a.Clone(), nil
		}
	}
	return account.Account{}, noAccount("memory.FindAccount")
}

// taken reports whether what names a names another account.
func (s *PeopleStore) taken(a *account.Account) bool {
	for id := range s.accounts {
		if b := s.accounts[id]; id != a.ID && (b.Email == a.Email || a.Subject != "" && b.Subject == a.Subject) {
			return true
		}
	}
	return false
}

// Create implements account.Store.
func (s *PeopleStore) Create(_ context.Context, a account.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.accounts[a.ID]; there || s.taken(&a) {
		return fault.New("memory.CreateAccount", fault.Conflict, account.DuplicateEmail, "its id, email or subject is taken")
	}
	a.Revision = 1
	s.accounts[a.ID] = a.Clone()
	return nil
}

// Save implements account.Store.
func (s *PeopleStore) Save(_ context.Context, a account.Account) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, there := s.accounts[a.ID]; !there || old.Revision != a.Revision || s.taken(&a) {
		return 0, fault.New("memory.SaveAccount", fault.Conflict, account.Stale, "account %s is not at revision %d", a.ID, a.Revision)
	}
	a.Revision++
	s.accounts[a.ID] = a.Clone()
	return a.Revision, nil
}

// Accounts implements account.Team.
func (s *PeopleStore) Accounts(_ context.Context, k merchant.BusinessKey, limit int) ([]account.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []account.Account
	for _, a := range s.accounts {
		if a.Business == k {
			all = append(all, a.Clone())
		}
	}
	slices.SortFunc(all, func(a, b account.Account) int { return cmp.Compare(a.Email, b.Email) })
	return all[:min(limit, len(all))], nil
}

// Session implements account.SessionStore.
func (s *PeopleStore) Session(_ context.Context, digest string) (account.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	se, ok := s.sessions[digest]
	if !ok {
		return se, fault.New("memory.Session", fault.NotFound, account.SignedOut, "there is no such session")
	}
	return se, nil
}

// SaveSession implements account.SessionStore.
func (s *PeopleStore) SaveSession(_ context.Context, se account.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[se.Digest] = se
	return nil
}

// EndSession implements account.SessionStore.
func (s *PeopleStore) EndSession(_ context.Context, digest string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, digest)
	return nil
}

// EndSessions implements account.SessionStore.
func (s *PeopleStore) EndSessions(_ context.Context, id account.ID, except string, t clock.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for digest, se := range s.sessions {
		if se.ExpiresAt < t || id != "" && se.Account == id && digest != except {
			delete(s.sessions, digest)
		}
	}
	return nil
}

// AddTry implements account.TryStore.
func (s *PeopleStore) AddTry(_ context.Context, key string, at, since clock.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[key] = append(s.tries[key], at)
	n := 0
	for _, t := range s.tries[key] {
		if t >= since {
			n++
		}
	}
	return n, nil
}

// ForgetTries implements account.TryStore.
func (s *PeopleStore) ForgetTries(_ context.Context, key string, t clock.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tries, key)
	for k, all := range s.tries {
		if all = slices.DeleteFunc(all, func(at clock.Time) bool { return at < t }); len(all) == 0 {
			delete(s.tries, k)
		} else {
			s.tries[k] = all
		}
	}
	return nil
}
