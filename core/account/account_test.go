package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/core/account"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/merchant"
)

// plain keeps passwords as they are, and counts how often it was asked.
type plain struct{ asked int }

func (*plain) Hash(_ context.Context, password string) (string, error) { return "new " + password, nil }

func (p *plain) Matches(_ context.Context, kept, password string) (ok, weak bool, err error) {
	p.asked++
	return kept == "new "+password || kept == "old "+password, kept == "old "+password, nil
}

// counter gives out tokens that are told apart.
type counter struct{ n int }

func (c *counter) Token() string           { c.n++; return fmt.Sprintf("token%d", c.n) }
func (*counter) Digest(text string) string { return "digest of " + text }

type watch struct{ now clock.Time }

func (w *watch) Now() clock.Time { return w.now }

// desk is a service over stores in memory.
type desk struct {
	*account.Service
	t     *testing.T
	store *memory.PeopleStore
	watch *watch
	hash  *plain
}

var gull = merchant.BusinessKey{Partner: "p", ID: "gull"}

const secret = "correct horse battery"

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, store: memory.NewPeopleStore(), watch: &watch{now: clock.Time(1000 * clock.Day)}, hash: &plain{}}
	n := 0
	d.Service = account.NewService(account.Deps{
		Accounts: d.store, Team: d.store, Sessions: d.store, Tries: d.store, Hasher: d.hash, Source: &counter{}, Clock: d.watch,
		NewID: func() account.ID { n++; return account.ID(fmt.Sprintf("a%d", n)) },
	})
	return d
}

// hire makes an account with a password.
func (d *desk) hire(email string, role account.Role, stores ...string) account.Account {
	d.t.Helper()
	_, token, err := d.Found(d.t.Context(), gull, account.Person{Email: email, Name: "Somebody", Role: role, Stores: stores})
	if err != nil {
		d.t.Fatal(err)
	}
	_, in, err := d.TakeInvitation(d.t.Context(), token, secret)
	if err != nil {
		d.t.Fatal(err)
	}
	return in.Account
}

func (d *desk) wants(what string, err error, kind fault.Kind, reason string) {
	d.t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.ReasonOf(err) != reason {
		d.t.Errorf("%s: %v; want %v, %s", what, err, kind, reason)
	}
}

func TestSignIn(t *testing.T) {
	d := newDesk(t)
	d.hire("ana@gull.example", account.Admin)
	token, in, err := d.SignIn(t.Context(), "  Ana@Gull.example ", secret, "1.2.3.4")
	if err != nil || in.Account.Email != "ana@gull.example" {
		t.Fatalf("SignIn = %v, %v", in, err)
	}
	if who, err := d.Who(t.Context(), token); err != nil || who.Account.ID != in.Account.ID {
		t.Errorf("Who = %v, %v; want who signed in", who, err)
	}
	if err := d.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{token, "", "token77", strings.Repeat("x", 300)} {
		_, err := d.Who(t.Context(), bad)
		d.wants("Who of no session", err, fault.NotFound, account.SignedOut)
	}
	before := d.hash.asked
	_, _, err = d.SignIn(t.Context(), "nobody@gull.example", secret, "1.2.3.4")
	d.wants("somebody unknown", err, fault.Forbidden, account.WrongPassword)
	if d.hash.asked != before+1 {
		t.Error("who is not there is told faster than who has another password")
	}
	_, _, err = d.SignIn(t.Context(), "ana@gull.example", secret+"!", "1.2.3.4")
	d.wants("a wrong password", err, fault.Forbidden, account.WrongPassword)
	_, _, err = d.SignIn(t.Context(), "ana@gull.example", strings.Repeat("x", 10_000), "1.2.3.4")
	d.wants("a password too long to be hashed", err, fault.Forbidden, account.WrongPassword)
}

func TestTooManyTries(t *testing.T) {
	d := newDesk(t)
	d.hire("ana@gull.example", account.Admin)
	d.hire("ben@gull.example", account.Staff)
	for i := range 10 {
		_, _, err := d.SignIn(t.Context(), "ana@gull.example", "wrong wrong", fmt.Sprint("from ", i))
		d.wants("a wrong password", err, fault.Forbidden, account.WrongPassword)
	}
	_, _, err := d.SignIn(t.Context(), "ana@gull.example", secret, "elsewhere")
	d.wants("the right one after ten wrong ones", err, fault.Exhausted, account.TooManyTries)
	if _, _, err := d.SignIn(t.Context(), "ben@gull.example", secret, "elsewhere"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	d.watch.now += clock.Time(16 * clock.Minute)
	if _, _, err := d.SignIn(t.Context(), "ana@gull.example", secret, "elsewhere"); err != nil {
		t.Errorf("after a while: %v", err)
	}
	for i := range 60 {
		_, _, err = d.SignIn(t.Context(), fmt.Sprintf("u%d@gull.example", i), "wrong wrong", "one address")
		d.wants("a wrong password", err, fault.Forbidden, account.WrongPassword)
	}
	_, _, err = d.SignIn(t.Context(), "ben@gull.example", secret, "one address")
	d.wants("an address that tried sixty", err, fault.Exhausted, account.TooManyTries)
}

func TestSessionsEnd(t *testing.T) {
	d := newDesk(t)
	d.hire("ana@gull.example", account.Admin)
	token, _, err := d.SignIn(t.Context(), "ana@gull.example", secret, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 8 { // who comes now and then stays in, up to a limit
		d.watch.now += clock.Time(10 * clock.Day)
		if _, err := d.Who(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	d.watch.now += clock.Time(11 * clock.Day)
	_, err = d.Who(t.Context(), token)
	d.wants("after ninety days", err, fault.NotFound, account.SignedOut)

	token, _, err = d.SignIn(t.Context(), "ana@gull.example", secret, "")
	if err != nil {
		t.Fatal(err)
	}
	d.watch.now += clock.Time(account.SessionLife)
	_, err = d.Who(t.Context(), token)
	d.wants("after two weeks away", err, fault.NotFound, account.SignedOut)
	if err := d.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWeakHashesAreReplaced(t *testing.T) {
	d := newDesk(t)
	a := d.hire("ana@gull.example", account.Admin)
	a.Password = "old " + secret
	if _, err := d.store.Save(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.SignIn(t.Context(), a.Email, secret, ""); err != nil {
		t.Fatal(err)
	}
	if got, err := d.store.Account(t.Context(), a.ID); err != nil || got.Password != "new "+secret {
		t.Errorf("the password is kept as %q, %v; want it hashed anew", got.Password, err)
	}
}

func TestInvitations(t *testing.T) {
	d := newDesk(t)
	ana, ben := d.hire("ana@gull.example", account.Admin), d.hire("ben@gull.example", account.Staff, "quay")
	_, _, err := d.Invite(t.Context(), ben, account.Person{Email: "x@gull.example", Name: "X", Role: account.Staff})
	d.wants("staff invites", err, fault.Forbidden, account.NotAdmin)
	_, _, err = d.Invite(t.Context(), ana, account.Person{Email: "BEN@gull.example", Name: "Ben", Role: account.Staff})
	d.wants("an email that is taken", err, fault.Conflict, account.DuplicateEmail)
	for _, bad := range []account.Person{{Email: "no", Name: "X", Role: account.Staff}, {Email: "a@b", Name: "", Role: account.Staff}, {Email: "a@b", Name: "X", Role: "king"},
		{Email: "a@b", Name: "X", Role: account.Admin, Stores: []string{"quay"}}, {Email: "a@b", Name: "X", Role: account.Staff, Stores: []string{"q/"}}, {Email: "a b@c", Name: "X", Role: account.Staff}} {
		if _, _, err := d.Invite(t.Context(), ana, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("Invite(%+v): %v, want invalid", bad, err)
		}
	}
	cy, token, err := d.Invite(t.Context(), ana, account.Person{Email: "cy@gull.example", Name: "Cy", Role: account.Staff})
	if err != nil {
		t.Fatal(err)
	}
	for _, weak := range []string{"short", "aaaaaaaaaaaaaaaa", "cy@gull.example", strings.Repeat("abcdef", 50)} {
		_, _, err = d.TakeInvitation(t.Context(), token, weak)
		d.wants("a weak password "+weak, err, fault.Invalid, account.WeakPassword)
	}
	_, _, err = d.SignIn(t.Context(), "cy@gull.example", "", "")
	d.wants("before the invitation is taken", err, fault.Forbidden, account.WrongPassword)
	if _, in, err := d.TakeInvitation(t.Context(), token, secret); err != nil || in.Account.ID != cy.ID {
		t.Fatalf("TakeInvitation = %v, %v", in, err)
	}
	_, _, err = d.TakeInvitation(t.Context(), token, secret)
	d.wants("a second time", err, fault.NotFound, account.BadInvitation)
	_, first, err := d.InviteAgain(t.Context(), ana, cy.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := d.InviteAgain(t.Context(), ana, cy.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Invited(t.Context(), first)
	d.wants("an invitation that was replaced", err, fault.NotFound, account.BadInvitation)
	d.watch.now += clock.Time(account.InvitesFor)
	_, err = d.Invited(t.Context(), second)
	d.wants("an invitation of a week ago", err, fault.NotFound, account.BadInvitation)
}

func TestTeam(t *testing.T) {
	d := newDesk(t)
	ana, ben := d.hire("ana@gull.example", account.Admin), d.hire("ben@gull.example", account.Staff)
	token, _, err := d.SignIn(t.Context(), ben.Email, secret, "")
	if err != nil {
		t.Fatal(err)
	}
	staff, yes, no, admin := account.Staff, true, false, account.Admin
	_, err = d.EditMember(t.Context(), ana, ana.ID, account.Edit{Role: &staff})
	d.wants("the last admin steps back", err, fault.Conflict, account.LastAdmin)
	_, err = d.EditMember(t.Context(), ana, ana.ID, account.Edit{Disabled: &yes})
	d.wants("the last admin leaves", err, fault.Conflict, account.LastAdmin)
	stranger := ana
	stranger.Business.ID = "tern"
	_, err = d.EditMember(t.Context(), stranger, ben.ID, account.Edit{Disabled: &yes})
	d.wants("an admin of another business", err, fault.NotFound, account.UnknownAccount)
	_, _, err = d.InviteAgain(t.Context(), stranger, ben.ID)
	d.wants("an admin of another business invites again", err, fault.NotFound, account.UnknownAccount)

	if _, err := d.EditMember(t.Context(), ana, ben.ID, account.Edit{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	_, err = d.Who(t.Context(), token)
	d.wants("somebody who was disabled", err, fault.NotFound, account.SignedOut)
	_, _, err = d.SignIn(t.Context(), ben.Email, secret, "")
	d.wants("somebody who was disabled signs in", err, fault.Forbidden, account.WrongPassword)
	if _, err := d.EditMember(t.Context(), ana, ben.ID, account.Edit{Disabled: &no, Role: &admin}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.EditMember(t.Context(), ana, ana.ID, account.Edit{Role: &staff, Stores: &[]string{"quay", "hill", "quay"}}); err != nil {
		t.Fatal(err)
	}
	got, err := d.store.Account(t.Context(), ana.ID)
	if err != nil || fmt.Sprint(got.Stores) != "[hill quay]" || !got.May("hill") || got.May("port") {
		t.Errorf("she sees %v, %v; want hill and quay", got.Stores, err)
	}
}

func TestChangePassword(t *testing.T) {
	d := newDesk(t)
	d.hire("ana@gull.example", account.Admin)
	_, here, err := d.SignIn(t.Context(), "ana@gull.example", secret, "")
	if err != nil {
		t.Fatal(err)
	}
	there, _, err := d.SignIn(t.Context(), "ana@gull.example", secret, "")
	if err != nil {
		t.Fatal(err)
	}
	d.wants("the wrong one now", d.ChangePassword(t.Context(), here, "wrong wrong", "another long one"), fault.Forbidden, account.WrongPassword)
	if err := d.ChangePassword(t.Context(), here, secret, "another long one"); err != nil {
		t.Fatal(err)
	}
	_, err = d.Who(t.Context(), there)
	d.wants("another browser", err, fault.NotFound, account.SignedOut)
	if _, err := d.store.Session(t.Context(), here.Session.Digest); err != nil {
		t.Errorf("this browser: %v", err)
	}
	for range 10 {
		if err := d.ChangePassword(t.Context(), here, "wrong wrong", "x"); err == nil {
			t.Fatal("a wrong password changed it")
		}
	}
	d.wants("too many", d.ChangePassword(t.Context(), here, "another long one", "yet another one"), fault.Exhausted, account.TooManyTries)
}

func TestSignInWith(t *testing.T) {
	d := newDesk(t)
	ana := d.hire("ana@gull.example", account.Admin)
	d.hire("ben@gull.example", account.Staff)
	for _, p := range []account.Proof{{}, {Subject: "idp|9"}, {Subject: "idp|1", Email: "ana@gull.example"}, {Subject: "idp|1", Email: "new@gull.example", EmailVerified: true}} {
		_, _, err := d.SignInWith(t.Context(), p)
		d.wants(fmt.Sprintf("%+v", p), err, fault.Forbidden, account.UnknownAccount)
	}
	_, in, err := d.SignInWith(t.Context(), account.Proof{Subject: "idp|1", Email: "ANA@gull.example", EmailVerified: true})
	if err != nil || in.Account.ID != ana.ID {
		t.Fatalf("SignInWith = %v, %v", in, err)
	}
	if _, in, err = d.SignInWith(t.Context(), account.Proof{Subject: "idp|1", Email: "renamed@gull.example"}); err != nil || in.Account.ID != ana.ID {
		t.Errorf("with another email: %v, %v", in, err)
	}
	_, _, err = d.SignInWith(t.Context(), account.Proof{Subject: "idp|2", Email: "ana@gull.example", EmailVerified: true})
	d.wants("another person with her email", err, fault.Forbidden, account.UnknownAccount)
}

// away is a store that cannot be reached.
type away struct{ *memory.PeopleStore }

func (away) AddTry(context.Context, string, clock.Time, clock.Time) (int, error) {
	return 0, &fault.Error{Op: "away", Kind: fault.Unavailable, Err: errors.New("away")}
}

func TestNobodyComesInWhileTriesAreNotCounted(t *testing.T) {
	d := newDesk(t)
	d.hire("ana@gull.example", account.Admin)
	d.Tries = away{d.store}
	if _, _, err := d.SignIn(t.Context(), "ana@gull.example", secret, ""); !fault.Is(err, fault.Unavailable) {
		t.Errorf("SignIn: %v, want unavailable", err)
	}
}
