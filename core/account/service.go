package account

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/merchant"
)

// Deps are what Service works with. All are required.
type Deps struct {
	Accounts Store
	Team     Team
	Sessions SessionStore
	Tries    TryStore
	Hasher   Hasher
	Source   Source
	Clock    clock.Clock
	// NewID returns a name that was never used before.
	NewID func() ID
}

// Service signs people in and out, and lets admins look after their team.
type Service struct{ Deps }

// NewService returns a service over its stores.
func NewService(d Deps) *Service { return &Service{d} }

// How long things hold.
const (
	SessionLife  = 14 * clock.Day // without a visit
	SessionMost  = 90 * clock.Day // with visits every day
	InvitesFor   = 7 * clock.Day  // an invitation
	tryWindow    = 15 * clock.Minute
	triesAccount = 10 // in the window: 960 a day find a password out of a million in three years
	triesAddress = 60 // a shop's staff share one address
	seenEvery    = 10 * clock.Minute
)

// SignedIn is somebody who is signed in.
type SignedIn struct {
	Account Account
	Session Session
}

// SignIn opens a session for who knows the password, and returns its token. from is the address that the
// request came from. It fails with fault.Forbidden, reason WrongPassword, and with
// fault.Exhausted, reason TooManyTries, after too many tries for the account or from the address.
func (s *Service) SignIn(ctx context.Context, email, password, from string) (string, SignedIn, error) {
	email = CleanEmail(email)
	now := s.Clock.Now()
	key := s.Source.Digest("account " + email)
	// A try counts before it is looked at: a thousand at once are not one.
	for _, k := range []struct {
		key  string
		most int
	}{{key, triesAccount}, {s.Source.Digest("address " + from), triesAddress}} {
		n, err := s.Tries.AddTry(ctx, k.key, now, now.Add(-tryWindow))
		if err != nil {
			return "", SignedIn{}, fmt.Errorf("sign in: %w", err)
		}
		if n > k.most {
			return "", SignedIn{}, fault.New("account.SignIn", fault.Exhausted, TooManyTries, "too many tries; wait %s", tryWindow)
		}
	}
	wrong := fault.New("account.SignIn", fault.Forbidden, WrongPassword, "the email or the password is wrong")
	a, err := s.Accounts.Find(ctx, Wanted{Email: email})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", SignedIn{}, fmt.Errorf("sign in: %w", err)
	}
	if len(password) > MaxPassword {
		return "", SignedIn{}, wrong
	}
	ok, weak, err := s.Hasher.Matches(ctx, a.Password, password) // takes as long for who is not there
	switch {
	case err != nil:
		return "", SignedIn{}, fmt.Errorf("sign in: %w", err)
	case !ok || a.Disabled:
		return "", SignedIn{}, wrong
	}
	if weak {
		if a, err = s.rehash(ctx, a, password); err != nil {
			return "", SignedIn{}, fmt.Errorf("sign in: %w", err)
		}
	}
	if err := s.Tries.ForgetTries(ctx, key, now.Add(-tryWindow)); err != nil {
		return "", SignedIn{}, fmt.Errorf("sign in: %w", err)
	}
	return s.open(ctx, a)
}

// rehash keeps the password in a stronger way. That another writer was faster is no reason not to sign in.
func (s *Service) rehash(ctx context.Context, a Account, password string) (Account, error) {
	kept, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return a, err
	}
	a.Password = kept
	revision, err := s.Accounts.Save(ctx, a)
	if fault.Is(err, fault.Conflict) {
		return a, nil
	}
	a.Revision = revision
	return a, err
}

// open opens a session.
func (s *Service) open(ctx context.Context, a Account) (string, SignedIn, error) {
	token, now := s.Source.Token(), s.Clock.Now()
	se := Session{Digest: s.Source.Digest(token), Account: a.ID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(SessionLife)}
	if err := s.Sessions.SaveSession(ctx, se); err != nil {
		return "", SignedIn{}, fmt.Errorf("open a session: %w", err)
	}
	return token, SignedIn{a, se}, nil
}

// Proof is what an identity provider says of somebody.
type Proof struct {
	Subject       string // the provider and its name for the person
	Email         string
	EmailVerified bool
}

// SignInWith opens a session for whom an identity provider vouches: an account that signed in
// so before, or one whose verified email it is. Nobody gets an account like this: an admin
// invites. It fails with fault.Forbidden, reason UnknownAccount.
func (s *Service) SignInWith(ctx context.Context, p Proof) (string, SignedIn, error) {
	unknown := fault.New("account.SignInWith", fault.Forbidden, UnknownAccount, "nobody of that name was invited")
	if p.Subject == "" {
		return "", SignedIn{}, unknown
	}
	a, err := s.Accounts.Find(ctx, Wanted{Subject: p.Subject})
	if fault.Is(err, fault.NotFound) && p.EmailVerified {
		a, err = s.Accounts.Find(ctx, Wanted{Email: CleanEmail(p.Email)})
		if err == nil && (a.Subject != "" || a.Disabled) {
			return "", SignedIn{}, unknown // it is another's there
		}
		if err == nil {
			a, err = s.change(ctx, a.ID, func(a *Account) error {
				a.Subject, a.Invited, a.InvitedTo = p.Subject, "", 0
				return nil
			})
		}
	}
	switch {
	case fault.Is(err, fault.NotFound):
		return "", SignedIn{}, unknown
	case err != nil:
		return "", SignedIn{}, fmt.Errorf("sign in: %w", err)
	case a.Disabled:
		return "", SignedIn{}, unknown
	}
	return s.open(ctx, a)
}

// Who returns who is signed in with a token. It fails with fault.NotFound, reason SignedOut.
func (s *Service) Who(ctx context.Context, token string) (SignedIn, error) {
	out := fault.New("account.Who", fault.NotFound, SignedOut, "nobody is signed in")
	if token == "" || len(token) > 200 {
		return SignedIn{}, out
	}
	se, err := s.Sessions.Session(ctx, s.Source.Digest(token))
	if fault.Is(err, fault.NotFound) {
		return SignedIn{}, out
	}
	if err != nil {
		return SignedIn{}, fmt.Errorf("who is signed in: %w", err)
	}
	now := s.Clock.Now()
	if now >= se.ExpiresAt {
		return SignedIn{}, out
	}
	a, err := s.Accounts.Account(ctx, se.Account)
	if fault.Is(err, fault.NotFound) || err == nil && a.Disabled {
		return SignedIn{}, out
	}
	if err != nil {
		return SignedIn{}, fmt.Errorf("who is signed in: %w", err)
	}
	if now.Sub(se.SeenAt) >= seenEvery {
		se.SeenAt, se.ExpiresAt = now, min(now.Add(SessionLife), se.CreatedAt.Add(SessionMost))
		if err := s.Sessions.SaveSession(ctx, se); err != nil {
			return SignedIn{}, fmt.Errorf("who is signed in: %w", err)
		}
	}
	return SignedIn{a, se}, nil
}

// SignOut ends a session. It is no error if there is none.
func (s *Service) SignOut(ctx context.Context, token string) error {
	return s.Sessions.EndSession(ctx, s.Source.Digest(token))
}

// ChangePassword replaces a password by another, and ends all other sessions of the account. It
// fails with fault.Forbidden, reason WrongPassword, and fault.Invalid, reason WeakPassword.
func (s *Service) ChangePassword(ctx context.Context, who SignedIn, old, password string) error {
	now := s.Clock.Now()
	n, err := s.Tries.AddTry(ctx, s.Source.Digest("change "+string(who.Account.ID)), now, now.Add(-tryWindow))
	if err != nil {
		return fmt.Errorf("change a password: %w", err)
	}
	if n > triesAccount {
		return fault.New("account.ChangePassword", fault.Exhausted, TooManyTries, "too many tries; wait %s", tryWindow)
	}
	if who.Account.Password != "" || who.Account.Subject == "" { // who came by the provider may set the first one
		ok, _, err := s.Hasher.Matches(ctx, who.Account.Password, old)
		if err != nil {
			return fmt.Errorf("change a password: %w", err)
		}
		if !ok {
			return fault.New("account.ChangePassword", fault.Forbidden, WrongPassword, "the password is wrong")
		}
	}
	if err := s.setPassword(ctx, &who.Account, password); err != nil {
		return err
	}
	return s.Sessions.EndSessions(ctx, who.Account.ID, who.Session.Digest, now)
}

// setPassword writes a new password, and closes the invitation.
func (s *Service) setPassword(ctx context.Context, a *Account, password string) error {
	if err := a.checkPassword(password); err != nil {
		return err
	}
	kept, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	*a, err = s.change(ctx, a.ID, func(a *Account) error {
		a.Password, a.Invited, a.InvitedTo = kept, "", 0
		return nil
	})
	return err
}

// maxTries bounds how often a change is decided again because another writer was faster.
const maxTries = 8

// change loads an account, decides and saves it.
func (s *Service) change(ctx context.Context, id ID, decide func(*Account) error) (Account, error) {
	for range maxTries {
		a, err := s.Accounts.Account(ctx, id)
		if fault.Is(err, fault.NotFound) {
			return a, fault.New("account.Change", fault.NotFound, UnknownAccount, "there is no such account")
		}
		if err != nil {
			return a, fmt.Errorf("account %s: %w", id, err)
		}
		if err := decide(&a); err != nil {
			return a, err
		}
		if err := a.check(); err != nil {
			return a, err
		}
		a.UpdatedAt = s.Clock.Now()
		revision, err := s.Accounts.Save(ctx, a)
		if fault.Is(err, fault.Conflict) {
			continue
		}
		a.Revision = revision
		return a, err
	}
	return Account{}, fault.New("account.Change", fault.Unavailable, Stale, "account %s: other writers were faster", id)
}

// Members returns who works for a business, by email.
func (s *Service) Members(ctx context.Context, k merchant.BusinessKey) ([]Account, error) {
	return s.Team.Accounts(ctx, k, TeamSize)
}
