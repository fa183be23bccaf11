package porttest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/account"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/merchant"
)

// People is all that keeps the people of merchants.
type People interface {
	account.Store
	account.Team
	account.SessionStore
	account.TryStore
}

// Accounts tests that what open returns keeps the contracts of account.Store, account.Team,
// account.SessionStore and account.TryStore. Each call of open returns an empty store.
func Accounts(t *testing.T, open func(t *testing.T) People) {
	t.Helper()
	t.Run("unknown account", func(t *testing.T) { accountUnknown(t, open(t)) })
	t.Run("account: found by what names it", func(t *testing.T) { accountFound(t, open(t)) })
	t.Run("account: a write needs the stored revision", func(t *testing.T) { accountConflict(t, open(t)) })
	t.Run("account: email and subject are unique", func(t *testing.T) { accountUnique(t, open(t)) })
	t.Run("account: one of many wins", func(t *testing.T) { accountRace(t, open(t)) })
	t.Run("team by email", func(t *testing.T) { accountTeam(t, open(t)) })
	t.Run("sessions", func(t *testing.T) { sessions(t, open(t)) })
	t.Run("tries", func(t *testing.T) { tries(t, open(t)) })
	t.Run("tries: all at once are all counted", func(t *testing.T) { triesRace(t, open(t)) })
}

func somebody(id account.ID, business string) account.Account {
	return account.Account{
		ID: id, Email: string(id) + "@gull.example", Name: "Ana Gull", Role: account.Staff, Business: merchant.BusinessKey{Partner: "p", ID: business},
		Stores: []string{"hill", "quay"}, Password: "$hash", Subject: "https://login.example|" + string(id), Invited: "digest of " + string(id), InvitedTo: 99, CreatedAt: 5, UpdatedAt: 9, Revision: 77,
	}
}

func accountUnknown(t *testing.T, s People) {
	if _, err := s.Account(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Account that is not there: %v, want not found", err)
	}
	nobody := somebody("a", "gull")
	nobody.Subject, nobody.Invited = "", ""
	if err := s.Create(t.Context(), nobody); err != nil {
		t.Fatal(err)
	}
	for _, w := range []account.Wanted{{}, {Email: "none"}, {Invited: "none"}, {Subject: "none"}, {Email: "zero\x00byte"}} {
		if a, err := s.Find(t.Context(), w); !fault.Is(err, fault.NotFound) {
			t.Errorf("Find(%+v) = %v, %v; want not found", w, a.ID, err)
		}
	}
	if _, err := s.Save(t.Context(), somebody("none", "gull")); !fault.Is(err, fault.Conflict) {
		t.Errorf("Save of one that is not there: %v, want conflict", err)
	}
}

func accountFound(t *testing.T, s People) {
	for _, id := range []account.ID{"a", "b"} {
		if err := s.Create(t.Context(), somebody(id, "gull")); err != nil {
			t.Fatal(err)
		}
	}
	want := somebody("b", "gull")
	want.Revision = 1
	for _, w := range []account.Wanted{{Email: want.Email}, {Invited: want.Invited}, {Subject: want.Subject}, {Email: want.Email, Subject: "https://login.example|a"}} {
		got, err := s.Find(t.Context(), w)
		if err != nil {
			t.Errorf("Find(%+v): %v", w, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Find(%+v), -want +got:\n%s", w, diff)
		}
	}
}

func accountConflict(t *testing.T, s People) {
	if err := s.Create(t.Context(), somebody("a", "gull")); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), somebody("a", "gull")); !fault.Is(err, fault.Conflict) {
		t.Errorf("Create of a taken id: %v, want conflict", err)
	}
	a, err := s.Account(t.Context(), "a")
	if err != nil || a.Revision != 1 {
		t.Fatalf("Account: revision %d, %v; want 1", a.Revision, err)
	}
	for _, stale := range []uint64{0, 2, 77} {
		b := a
		b.Name, b.Revision = "another", stale
		if _, err := s.Save(t.Context(), b); !fault.Is(err, fault.Conflict) {
			t.Errorf("Save at revision %d, stored 1: %v, want conflict", stale, err)
		}
	}
	a.Name, a.Email, a.Invited, a.Stores = "Ana Tern", "tern@gull.example", "", nil
	r, err := s.Save(t.Context(), a)
	if err != nil || r <= 1 {
		t.Fatalf("Save: revision %d, %v; want more than 1", r, err)
	}
	a.Revision = r
	got, err := s.Find(t.Context(), account.Wanted{Email: "tern@gull.example"})
	if diff := cmp.Diff(a, got); err != nil || diff != "" {
		t.Errorf("after Save: %v, -want +got:\n%s", err, diff)
	}
	for _, w := range []account.Wanted{{Email: "a@gull.example"}, {Invited: "digest of a"}} {
		if _, err := s.Find(t.Context(), w); !fault.Is(err, fault.NotFound) {
			t.Errorf("Find(%+v) after it changed: %v, want not found", w, err)
		}
	}
}

func accountUnique(t *testing.T, s People) {
	a, b := somebody("a", "gull"), somebody("b", "tern")
	for _, one := range []account.Account{a, b} {
		if err := s.Create(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range []func(*account.Account){func(c *account.Account) { c.Email = a.Email }, func(c *account.Account) { c.Subject = a.Subject }} {
		c := somebody("c", "gull")
		change(&c)
		if err := s.Create(t.Context(), c); !fault.Is(err, fault.Conflict) {
			t.Errorf("Create with what is another's: %v, want conflict", err)
		}
		d := somebody("b", "tern")
		d.Revision = 1
		change(&d)
		if _, err := s.Save(t.Context(), d); !fault.Is(err, fault.Conflict) {
			t.Errorf("Save with what is another's: %v, want conflict", err)
		}
	}
	for i, id := range []account.ID{"d", "e"} { // many have no subject
		c := somebody(id, "gull")
		c.Subject, c.Invited = "", ""
		if err := s.Create(t.Context(), c); err != nil {
			t.Errorf("Create of number %d without a subject: %v", i+1, err)
		}
	}
}

func accountRace(t *testing.T, s People) {
	if err := s.Create(t.Context(), somebody("a", "gull")); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	won := make(chan int, 8)
	for i := range 8 {
		all.Go(func() {
			a := somebody("a", "gull")
			a.Revision, a.Name = 1, fmt.Sprint(i)
			if _, err := s.Save(t.Context(), a); err == nil {
				won <- i
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("Save: %v, want conflict", err)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d of 8 writes at one revision were made, want 1", len(won))
	}
}

func accountTeam(t *testing.T, s People) {
	for _, a := range []account.Account{somebody("c", "gull"), somebody("a", "gull"), somebody("x", "tern"), somebody("b", "gull")} {
		if err := s.Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		key   merchant.BusinessKey
		limit int
		want  string
	}{
		{merchant.BusinessKey{Partner: "p", ID: "gull"}, 10, "abc"}, {merchant.BusinessKey{Partner: "p", ID: "gull"}, 2, "ab"},
		{merchant.BusinessKey{Partner: "q", ID: "gull"}, 10, ""}, {merchant.BusinessKey{Partner: "p", ID: "tern"}, 10, "x"},
	} {
		team, err := s.Accounts(t.Context(), c.key, c.limit)
		got := ""
		for _, a := range team {
			got += string(a.ID)
		}
		if err != nil || got != c.want {
			t.Errorf("Accounts(%v, %d) = %s, %v; want %s", c.key, c.limit, got, err, c.want)
		}
	}
}

func sessions(t *testing.T, s People) {
	if _, err := s.Session(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
		t.Errorf("Session that is not there: %v, want not found", err)
	}
	save := func(digest string, id account.ID, ends clock.Time) account.Session {
		se := account.Session{Digest: digest, Account: id, CreatedAt: 1, SeenAt: 2, ExpiresAt: ends}
		if err := s.SaveSession(t.Context(), se); err != nil {
			t.Fatal(err)
		}
		return se
	}
	want := func(digests ...string) {
		t.Helper()
		for _, d := range []string{"a1", "a2", "a3", "b1", "b2"} {
			_, err := s.Session(t.Context(), d)
			there := false
			for _, w := range digests {
				there = there || w == d
			}
			if there && err != nil || !there && !fault.Is(err, fault.NotFound) {
				t.Errorf("session %s: %v; want it there: %v", d, err, there)
			}
		}
	}
	save("a1", "a", 100)
	save("a2", "a", 100)
	save("a3", "a", 100)
	save("b1", "b", 100)
	save("b2", "b", 10)
	se := save("a1", "a", 200) // not new
	if got, err := s.Session(t.Context(), "a1"); err != nil || got != se {
		t.Errorf("Session = %+v, %v; want %+v", got, err, se)
	}
	for _, digest := range []string{"a3", "none"} {
		if err := s.EndSession(t.Context(), digest); err != nil {
			t.Errorf("EndSession(%s): %v", digest, err)
		}
	}
	want("a1", "a2", "b1", "b2")
	if err := s.EndSessions(t.Context(), "a", "a2", 5); err != nil {
		t.Fatal(err)
	}
	want("a2", "b1", "b2")
	if err := s.EndSessions(t.Context(), "", "", 50); err != nil {
		t.Fatal(err)
	}
	want("a2", "b1")
	if err := s.EndSessions(t.Context(), "a", "", 0); err != nil {
		t.Fatal(err)
	}
	want("b1")
}

func tries(t *testing.T, s People) {
	for i, c := range []struct {
		key       string
		at, since clock.Time
		want      int
	}{{"k", 10, 0, 1}, {"k", 20, 0, 2}, {"other", 20, 0, 1}, {"k", 30, 20, 2}, {"k", 40, 100, 0}, {"k", 50, 0, 5}} {
		if n, err := s.AddTry(t.Context(), c.key, c.at, c.since); err != nil || n != c.want {
			t.Errorf("AddTry %d = %d, %v; want %d", i+1, n, err, c.want)
		}
	}
	if err := s.ForgetTries(t.Context(), "k", 0); err != nil {
		t.Fatal(err)
	}
	if n, err := s.AddTry(t.Context(), "k", 60, 0); err != nil || n != 1 {
		t.Errorf("AddTry after all were forgotten = %d, %v; want 1", n, err)
	}
	if err := s.ForgetTries(t.Context(), "", 30); err != nil {
		t.Fatal(err)
	}
	if n, err := s.AddTry(t.Context(), "other", 60, 0); err != nil || n != 1 {
		t.Errorf("AddTry after old ones were forgotten = %d, %v; want 1", n, err)
	}
	if n, err := s.AddTry(t.Context(), "k", 60, 0); err != nil || n != 2 {
		t.Errorf("AddTry after others were forgotten = %d, %v; want 2", n, err)
	}
}

func triesRace(t *testing.T, s People) {
	var all sync.WaitGroup
	var mu sync.Mutex
	most := 0
	for range 12 {
		all.Go(func() {
			n, err := s.AddTry(t.Context(), "k", 10, 0)
			if err != nil || n < 1 || n > 12 {
				t.Errorf("AddTry = %d, %v; want 1 to 12", n, err)
			}
			mu.Lock()
			most = max(most, n)
			mu.Unlock()
		})
	}
	all.Wait()
	if most != 12 {
		t.Errorf("the last of 12 at once was told of %d", most)
	}
}
