package account

import (
	"context"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/merchant"
)

// Person is what an admin says of somebody.
type Person struct {
	Email  string
	Name   string
	Role   Role
	Stores []string // that it may see; none: all
}

// Found makes an account of a business without anybody's leave, for who sets the business up, and returns the
// token of its invitation. It fails with fault.Conflict, reason DuplicateEmail.
func (s *Service) Found(ctx context.Context, k merchant.BusinessKey, p Person) (Account, string, error) {
	now, token := s.Clock.Now(), s.Source.Token()
	a := Account{
		ID: s.NewID(), Email: CleanEmail(p.Email), Name: p.Name, Role: p.Role, Business: k, Stores: sorted(p.Stores),
		Invited: s.Source.Digest(token), InvitedTo: now.Add(InvitesFor), CreatedAt: now, UpdatedAt: now, Revision: 1,
	}
	if err := a.check(); err != nil {
		return Account{}, "", err
	}
	err := s.Accounts.Create(ctx, a)
	if fault.Is(err, fault.Conflict) {
		return Account{}, "", fault.New("account.Invite", fault.Conflict, DuplicateEmail, "somebody with this email has an account")
	}
	return a, token, err
}

// Invite makes an account in the business of who asks, an admin, and returns the token of its invitation. It
// fails like Found, and with fault.Forbidden, reason NotAdmin.
func (s *Service) Invite(ctx context.Context, by Account, p Person) (Account, string, error) {
	if err := mustAdmin(by); err != nil {
		return Account{}, "", err
	}
	team, err := s.Members(ctx, by.Business)
	if err != nil {
		return Account{}, "", err
	}
	if len(team) >= TeamSize {
		return Account{}, "", fault.New("account.Invite", fault.Exhausted, "", "a business has %d accounts at most", TeamSize)
	}
	return s.Found(ctx, by.Business, p)
}

// InviteAgain gives somebody of the team a new invitation, with which a password that was forgotten is
// replaced too. The one before holds no more.
func (s *Service) InviteAgain(ctx context.Context, by Account, id ID) (Account, string, error) {
	token := s.Source.Token()
	a, err := s.ofTeam(ctx, by, id, func(a *Account) error {
		if a.Disabled {
			return invalid("account", "it is disabled")
		}
		a.Invited, a.InvitedTo = s.Source.Digest(token), s.Clock.Now().Add(InvitesFor)
		return nil
	})
	return a, token, err
}

// Invited returns whose invitation a token is. It fails with fault.NotFound, reason BadInvitation.
func (s *Service) Invited(ctx context.Context, token string) (Account, error) {
	bad := fault.New("account.Invited", fault.NotFound, BadInvitation, "the invitation is unknown, used or too old")
	if token == "" || len(token) > 200 {
		return Account{}, bad
	}
	a, err := s.Accounts.Find(ctx, Wanted{Invited: s.Source.Digest(token)})
	switch {
	case fault.Is(err, fault.NotFound):
		return Account{}, bad
	case err != nil:
		return Account{}, fmt.Errorf("invitation: %w", err)
	case a.Disabled || s.Clock.Now() >= a.InvitedTo:
		return Account{}, bad
	}
	return a, nil
}

// TakeInvitation sets the password of who was invited, and signs it in. All its other sessions end.
func (s *Service) TakeInvitation(ctx context.Context, token, password string) (string, SignedIn, error) {
	a, err := s.Invited(ctx, token)
	if err != nil {
		return "", SignedIn{}, err
	}
	if err := s.setPassword(ctx, &a, password); err != nil {
		return "", SignedIn{}, err
	}
	if err := s.Sessions.EndSessions(ctx, a.ID, "", s.Clock.Now()); err != nil {
		return "", SignedIn{}, fmt.Errorf("take an invitation: %w", err)
	}
	return s.open(ctx, a)
}

// Edit is what an admin changes of somebody's account; nil keeps what is there.
type Edit struct {
	Name     *string
	Role     *Role
	Stores   *[]string
	Disabled *bool
}

// EditMember changes the account of somebody of the team of an admin. One admin at least
// stays: it fails with fault.Conflict, reason LastAdmin. Who is disabled is signed out.
func (s *Service) EditMember(ctx context.Context, by Account, id ID, e Edit) (Account, error) {
	a, err := s.ofTeam(ctx, by, id, func(a *Account) error {
		was := a.Role == Admin && !a.Disabled
		if e.Name != nil {
			a.Name = *e.Name
		}
		if e.Role != nil {
			a.Role = *e.Role
		}
		if e.Stores != nil {
			a.Stores = sorted(*e.Stores)
		}
		if a.Role == Admin {
			a.Stores = nil
		}
		if e.Disabled != nil {
			a.Disabled = *e.Disabled
		}
		if is := a.Role == Admin && !a.Disabled; was && !is {
			return s.anotherAdmin(ctx, a)
		}
		return nil
	})
	if err == nil && a.Disabled {
		err = s.Sessions.EndSessions(ctx, a.ID, "", s.Clock.Now())
	}
	return a, err
}

// anotherAdmin fails if nobody else looks after the business. Two admins who step back in the same
// instant could both find the other still there; an operator then appoints one (Found).
func (s *Service) anotherAdmin(ctx context.Context, a *Account) error {
	team, err := s.Members(ctx, a.Business)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(team, func(b Account) bool {
		return b.ID != a.ID && b.Role == Admin && !b.Disabled && (b.Password != "" || b.Subject != "")
	}) {
		return nil
	}
	return fault.New("account.EditMember", fault.Conflict, LastAdmin, "a business needs an admin")
}

// ofTeam changes an account of the business of an admin. One of another business does not exist.
func (s *Service) ofTeam(ctx context.Context, by Account, id ID, decide func(*Account) error) (Account, error) {
	if err := mustAdmin(by); err != nil {
		return Account{}, err
	}
	return s.change(ctx, id, func(a *Account) error {
		if a.Business != by.Business {
			return fault.New("account.Change", fault.NotFound, UnknownAccount, "there is no such account")
		}
		return decide(a)
	})
}

func mustAdmin(by Account) error {
	if by.Role != Admin || by.Disabled {
		return fault.New("account.Team", fault.Forbidden, NotAdmin, "only admins look after the team")
	}
	return nil
}

func sorted(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// Tidy forgets sessions that are over and tries that count no more.
func (s *Service) Tidy(ctx context.Context) error {
	now := s.Clock.Now()
	if err := s.Sessions.EndSessions(ctx, "", "", now); err != nil {
		return err
	}
	return s.Tries.ForgetTries(ctx, "", now.Add(-24*clock.Hour))
}
