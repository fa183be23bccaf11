package integration

import (
	"context"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/market"
)

// Environment says what a partner's deliveries are carried by.
type Environment string

// The environments. Who works in both is two partners: neither sees anything of
// the other, and which one it is follows from the key that signs.
const (
	Live    Environment = "live"
	Sandbox Environment = "sandbox" // simulated robots only
)

// Status says whether a partner or an endpoint takes part.
type Status string

// The statuses.
const (
	Active    Status = "active"
	Suspended Status = "suspended" // by us, until we say otherwise
	Paused    Status = "paused"    // of an endpoint: by whose it is
	Gone      Status = "gone"      // of an endpoint: it answered that it does not exist any more
)

// Dialect is whose words a partner is told in. Whichever it is, it may ask in any.
type Dialect string

// The dialects.
const (
	Drive Dialect = "" // DoorDash's Drive v2, unless something else was said
	Uber  Dialect = "uber"
)

// ParseDialect reads the name of a dialect, "drive" or "uber".
func ParseDialect(name string) (Dialect, error) {
	switch d := Dialect(name); d {
	case "", "drive":
		return Drive, nil
	case Uber:
		return d, nil
	}
	return Drive, fault.New("integration.ParseDialect", fault.Invalid, BadPartner, "dialect %.40q; want drive or uber", name)
}

// events returns what names of events consist of, and one of them.
func (d Dialect) events() (letters, example string) {
	if d == Uber {
		return "abcdefghijklmnopqrstuvwxyz_.", "event.delivery_status"
	}
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZ_", "DASHER_PICKED_UP"
}

// String returns the name of d.
func (d Dialect) String() string {
	if d == Drive {
		return "drive"
	}
	return string(d)
}

// Partner is somebody who may ask for deliveries. Its id is the tenant of
// everything that it makes.
type Partner struct {
	ID          delivery.PartnerID `json:"id"`
	Name        string             `json:"name"`
	Environment Environment        `json:"environment"`
	Dialect     Dialect            `json:"dialect,omitempty"`
	// Markets are where it may ask for deliveries; the first one where it does not say which.
	Markets []market.ID `json:"markets"`
	// Developer is the partner's id in its tokens.
	Developer string     `json:"developer"`
	Status    Status     `json:"status"`
	CreatedAt clock.Time `json:"created_at"`
	UpdatedAt clock.Time `json:"updated_at"`
	Revision  uint64     `json:"revision"`
}

// Key proves that a request is a partner's. Its secret is kept apart, by the name that SecretName returns.
type Key struct {
	ID        string             `json:"id"`
	Partner   delivery.PartnerID `json:"partner"`
	CreatedAt clock.Time         `json:"created_at"`
	ExpiresAt clock.Time         `json:"expires_at"` // 0 is never
	RevokedAt clock.Time         `json:"revoked_at"` // 0 if it is not
	Revision  uint64             `json:"revision"`
}

// SecretName returns under which name k's secret is kept.
func (k Key) SecretName() string { return "key/" + k.ID }

// Usable reports whether k proves anything at t.
func (k Key) Usable(t clock.Time) bool {
	return k.RevokedAt == 0 && (k.ExpiresAt == 0 || t < k.ExpiresAt)
}

// AuthKind is how we prove to an endpoint who we are, beside the signature.
type AuthKind string

// The kinds.
const (
	NoAuth    AuthKind = "none"
	BasicAuth AuthKind = "basic"
	OAuth     AuthKind = "oauth2" // client credentials
)

// Auth is what an endpoint asks for. The password or client secret is kept
// apart, by the name that Endpoint.AuthSecretName returns.
type Auth struct {
	Kind     AuthKind `json:"kind"`
	User     string   `json:"user,omitempty"`      // user or client id
	TokenURL string   `json:"token_url,omitempty"` // of OAuth
	Scope    string   `json:"scope,omitempty"`     // of OAuth; may be empty
}

// Owner is whose endpoints or entries are meant: those of a partner, or of one
// business of it only. A partner sees what belongs to its businesses too.
type Owner struct {
	Partner  delivery.PartnerID
	Business string // "" is the whole partner
}

// String names the owner for errors.
func (o Owner) String() string {
	if o.Business == "" {
		return "partner " + string(o.Partner)
	}
	return "business " + o.Business + " of partner " + string(o.Partner)
}

// Has reports whether an entry is one of o's. A business has those of its stores.
func (o Owner) Has(u *delivery.Update) bool {
	if o.Partner != u.Partner || o.Business == "" {
		return o.Partner == u.Partner
	}
	business, _, within := strings.Cut(u.Store, "/")
	return within && business == o.Business
}

// owns reports whether an endpoint is one of o's.
func (o Owner) owns(e Endpoint) bool {
	return o.Partner == e.Partner && (o.Business == "" || o.Business == e.Business)
}

// Endpoint is where a partner, or one business of it, wants to be told of its deliveries.
type Endpoint struct {
	ID       string             `json:"id"`
	Partner  delivery.PartnerID `json:"partner"`
	Business string             `json:"business,omitempty"` // "" is the whole partner
	// Dialect is the partner's; businesses, who read our own pages, are told in Drive's.
	Dialect Dialect `json:"dialect,omitempty"`
	URL     string  `json:"url"`
	Auth    Auth    `json:"auth"`
	// Events are the names of those that it wants, in the partner's words; empty is all.
	Events []string `json:"events,omitempty"`
	// From is the position in the partner's log behind which it begins.
	From   uint64 `json:"from"`
	Status Status `json:"status"`
	// Signing names the signing secret that is in use, and Before the one before, which is in use until OldUntil; "" if there was none.
	Signing   string     `json:"signing"`
	Before    string     `json:"before,omitempty"`
	OldUntil  clock.Time `json:"old_until"`
	CreatedAt clock.Time `json:"created_at"`
	UpdatedAt clock.Time `json:"updated_at"`
	Revision  uint64     `json:"revision"`
}

// Clone returns a copy of p that shares nothing with it.
func (p Partner) Clone() Partner {
	p.Markets = append([]market.ID(nil), p.Markets...)
	return p
}

// Clone returns a copy of e that shares nothing with it.
func (e Endpoint) Clone() Endpoint {
	e.Events = append([]string(nil), e.Events...)
	return e
}

// Owner returns whose entries e is told of.
func (e Endpoint) Owner() Owner { return Owner{e.Partner, e.Business} }

// Wants reports whether e wants to be told of an update, which has a name; "" is
// the name of what nobody is told of in e's dialect.
func (e Endpoint) Wants(u *delivery.Update, name string) bool {
	if name == "" || !e.Owner().Has(u) {
		return false
	}
	for _, wanted := range e.Events {
		if wanted == name {
			return true
		}
	}
	return len(e.Events) == 0
}

// PartnerStore keeps partners.
type PartnerStore interface {
	// Partner returns the partner, or a fault.NotFound error.
	Partner(ctx context.Context, id delivery.PartnerID) (Partner, error)
	// Partners returns the partners with an id above after, ordered by id, at most limit.
	Partners(ctx context.Context, after delivery.PartnerID, limit int) ([]Partner, error)
	// CreatePartner writes a new partner, whose revision is then 1, whatever p.Revision says. It
	// fails with fault.Conflict if the id or the developer is taken. A fault.Unavailable error leaves open whether the write happened.
	CreatePartner(ctx context.Context, p Partner) error
	// SavePartner writes p if the stored revision is still p.Revision, and returns the new
	// revision, which is higher; otherwise, or if there is no such partner, it writes nothing and fails with
	// fault.Conflict. A fault.Unavailable error leaves open whether the write happened.
	SavePartner(ctx context.Context, p Partner) (revision uint64, err error)
}

// KeyStore keeps keys. It does not look whether their partners exist.
type KeyStore interface {
	// Key returns the key, or a fault.NotFound error.
	Key(ctx context.Context, id string) (Key, error)
	// Keys returns all keys of a partner, ordered by id.
	Keys(ctx context.Context, p delivery.PartnerID) ([]Key, error)
	// CreateKey is to keys what CreatePartner is to partners; only the id need be new.
	CreateKey(ctx context.Context, k Key) error
	// SaveKey is to keys what SavePartner is to partners.
	SaveKey(ctx context.Context, k Key) (revision uint64, err error)
}

// EndpointStore keeps endpoints. It does not look whether their partners exist.
type EndpointStore interface {
	// Endpoint returns the endpoint, or a fault.NotFound error.
	Endpoint(ctx context.Context, id string) (Endpoint, error)
	// Endpoints returns the endpoints of an owner, or all if it is nobody, with an id above after, ordered by id, at most limit.
	Endpoints(ctx context.Context, o Owner, after string, limit int) ([]Endpoint, error)
	// CreateEndpoint is to endpoints what CreatePartner is to partners; only the id need be new.
	CreateEndpoint(ctx context.Context, e Endpoint) error
	// SaveEndpoint is to endpoints what SavePartner is to partners. Whose it is never changes.
	SaveEndpoint(ctx context.Context, e Endpoint) (revision uint64, err error)
	// DropEndpoint forgets an endpoint. It is no error if there is none.
	DropEndpoint(ctx context.Context, id string) error
}

// SecretStore keeps secrets by name. What it writes is encrypted, or readable for nobody else.
type SecretStore interface {
	// Secret returns the secret, or a fault.NotFound error.
	Secret(ctx context.Context, name string) (Secret, error)
	// PutSecret keeps a secret, in place of the one of that name if there is one.
	PutSecret(ctx context.Context, name string, s Secret) error
	// DropSecret forgets a secret. It is no error if there is none.
	DropSecret(ctx context.Context, name string) error
}

// Source makes what nobody can guess, in production.
type Source interface {
	// NewID returns a new UUID.
	NewID() string
	// NewSecret returns 32 new bytes.
	NewSecret() Secret
}
