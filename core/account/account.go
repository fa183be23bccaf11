// Package account owns the people who work for merchants: who they are, how they prove it, and
// what of a business they may see. It knows neither deliveries nor pages; partners prove
// themselves elsewhere.
package account

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
)

// ID names an account.
type ID string

// Role is what somebody may do in a business.
type Role string

// The roles.
const (
	Admin Role = "admin" // everything staff may, and stores, people and settings
	Staff Role = "staff" // orders, and robots at the door
)

// Reasons of errors, for pages and tests.
const (
	WrongPassword  = "wrong_password" // or no such account: nobody is told which
	TooManyTries   = "too_many_tries"
	UnknownAccount = "unknown_account"
	DuplicateEmail = "duplicate_email"
	BadInvitation  = "bad_invitation" // unknown, used or expired
	WeakPassword   = "weak_password"
	NotAdmin       = "not_admin"
	LastAdmin      = "last_admin"
	SignedOut      = "signed_out" // the session is unknown or over
	Stale          = "stale"      // another writer was faster
)

// Account is somebody who works for a business.
type Account struct {
	ID        ID                   `json:"id"`
	Email     string               `json:"email"` // lower case; unique
	Name      string               `json:"name"`
	Role      Role                 `json:"role"`
	Business  merchant.BusinessKey `json:"business"`
	Stores    []string             `json:"stores"`   // ids within Business that it may see, in order; none: all
	Password  string               `json:"password"` // as Hasher made it; "" until the invitation is taken
	Subject   string               `json:"subject"`  // who it is at the identity provider; "" until it signed in there
	Disabled  bool                 `json:"disabled"`
	Invited   string               `json:"invited"`    // digest of the invitation's token; "" if none is open
	InvitedTo clock.Time           `json:"invited_to"` // when the invitation ends
	CreatedAt clock.Time           `json:"created_at"`
	UpdatedAt clock.Time           `json:"updated_at"`
	Revision  uint64               `json:"revision"`
}

// Session is a browser in which somebody is signed in. Its token is kept by the browser only.
type Session struct {
	Digest    string     `json:"digest"` // of the token
	Account   ID         `json:"account"`
	CreatedAt clock.Time `json:"created_at"`
	SeenAt    clock.Time `json:"seen_at"`
	ExpiresAt clock.Time `json:"expires_at"`
}

// Clone returns a copy that shares nothing with a.
func (a Account) Clone() Account {
	a.Stores = slices.Clone(a.Stores)
	return a
}

// May reports whether a may see a store of its business.
func (a *Account) May(store string) bool {
	return len(a.Stores) == 0 || slices.Contains(a.Stores, store)
}

// Store keeps accounts.
type Store interface {
	// Account returns the account, or a fault.NotFound error.
	Account(ctx context.Context, id ID) (Account, error)
	// Find returns the account with an email, an invitation's digest or a subject: of that which w has
	// first. It returns a fault.NotFound error if there is none, and for an empty Wanted.
	Find(ctx context.Context, w Wanted) (Account, error)
	// Create writes a new account, whose revision is then 1, whatever a.Revision says. It fails with
	// fault.Conflict if the id, the email, or a subject that is not "" is taken. A fault.Unavailable error
	// leaves open whether the write happened.
	Create(ctx context.Context, a Account) error
	// Save writes a if the stored revision is still a.Revision, and returns the new revision, which is
	// higher; otherwise, or if its email or subject has become another's, it writes nothing and fails with
	// fault.Conflict. A fault.Unavailable error leaves open whether the write happened.
	Save(ctx context.Context, a Account) (revision uint64, err error)
}

// Wanted says which account is looked for. One of its fields is set.
type Wanted struct{ Email, Invited, Subject string }

// Team finds who works for a business.
type Team interface {
	// Accounts returns the accounts of a business ordered by email, at most limit.
	Accounts(ctx context.Context, k merchant.BusinessKey, limit int) ([]Account, error)
}

// SessionStore keeps sessions.
type SessionStore interface {
	// Session returns the session with a digest, or a fault.NotFound error. It may have expired.
	Session(ctx context.Context, digest string) (Session, error)
	// SaveSession writes a session, new or not.
	SaveSession(ctx context.Context, s Session) error
	// EndSession forgets a session. It is no error if there is none.
	EndSession(ctx context.Context, digest string) error
	// EndSessions forgets the sessions of an account except one, "" for none, and all that expired before t.
	EndSessions(ctx context.Context, id ID, except string, t clock.Time) error
}

// TryStore counts how often somebody tried to sign in. Its keys are digests.
type TryStore interface {
	// AddTry counts a try at a time, and returns how many there were for the key since then, this one included.
	AddTry(ctx context.Context, key string, at, since clock.Time) (int, error)
	// ForgetTries forgets the tries of a key, and all before t.
	ForgetTries(ctx context.Context, key string, t clock.Time) error
}

// Hasher makes of a password what may be kept of it. It takes long on purpose.
type Hasher interface {
	// Hash returns what to keep of a password.
	Hash(ctx context.Context, password string) (string, error)
	// Matches reports whether a password is the one that kept was made of, and whether Hash would now make
	// something stronger. An empty kept matches nothing, and takes as long.
	Matches(ctx context.Context, kept, password string) (ok, weak bool, err error)
}

// Source makes what nobody can guess.
type Source interface {
	// Token returns a new token: letters, digits, - and _, of 128 bits of chance or more.
	Token() string
	// Digest returns what is kept of a token or of a key of tries; the same for the same text.
	Digest(text string) string
}

// Limits of accounts.
const (
	MinPassword = 10  // characters: NIST SP 800-63B asks for 8 with a second factor, and 15 without; staff share a till
	MaxPassword = 200 // bytes
	MaxEmail    = 254 // bytes
	MaxName     = 100 // bytes
	MaxStores   = 100
	TeamSize    = 200 // accounts of a business
)

const op = "account.Check"

func invalid(field, want string) error {
	return fault.New(op, fault.Invalid, delivery.ValidationError, "%s: %s", field, want)
}

func (a *Account) check() error {
	switch {
	case a.ID == "" || a.Business.Partner == "" || a.Business.ID == "":
		return invalid("id, business", "missing")
	case !validEmail(a.Email):
		return invalid("email", "want an address such as ana@example.com")
	case a.Name == "" || len(a.Name) > MaxName || strings.ContainsFunc(a.Name, unicode.IsControl):
		return invalid("name", "want 1 to 100 bytes")
	case a.Role != Admin && a.Role != Staff:
		return invalid("role", "want admin or staff")
	case a.Role == Admin && len(a.Stores) > 0:
		return invalid("stores", "an admin sees all stores of the business")
	case len(a.Stores) > MaxStores:
		return invalid("stores", "too many")
	}
	for _, s := range a.Stores {
		if !merchant.ValidID(s) {
			return invalid("stores", "want ids of stores")
		}
	}
	return nil
}

// validEmail reports whether text may be an email address in lower case. Whether it is one only a message shows.
func validEmail(text string) bool {
	at := strings.LastIndexByte(text, '@')
	return at > 0 && at < len(text)-1 && len(text) <= MaxEmail && text == CleanEmail(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == ',' || r == '<' || r == '>' })
}

// CleanEmail returns an email address as it is kept.
func CleanEmail(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// checkPassword refuses what is too easy to guess. Length counts; rules about signs only make people write them down.
func (a *Account) checkPassword(password string) error {
	weak := func(why string) error {
		return fault.New(op, fault.Invalid, WeakPassword, "password: %s", why)
	}
	runes := []rune(password)
	switch {
	case len(runes) < MinPassword:
		return weak("want 10 characters or more")
	case len(password) > MaxPassword:
		return weak("want 200 bytes at most")
	}
	slices.Sort(runes)
	if len(slices.Compact(runes)) < 5 {
		return weak("want five different characters or more")
	}
	user, _, _ := strings.Cut(a.Email, "@")
	lower := strings.ToLower(password)
	if lower == a.Email || (len(user) > 3 && strings.HasPrefix(lower, user) && len(password) < len(user)+6) {
		return weak("it is too much like the email address")
	}
	return nil
}
