package partners

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/market"
)

// Partner is a partner as operators see it.
type Partner struct {
	ID          delivery.PartnerID      `json:"id"`
	Name        string                  `json:"name"`
	Environment integration.Environment `json:"environment"`
	Dialect     string                  `json:"dialect"`
	Markets     []market.ID             `json:"markets"`
	Developer   string                  `json:"developer_id"`
	Status      integration.Status      `json:"status"`
	CreatedAt   string                  `json:"created_at"`
}

func showPartner(p integration.Partner) Partner {
	return Partner{p.ID, p.Name, p.Environment, p.Dialect.String(), p.Markets, p.Developer, p.Status, instant(p.CreatedAt)}
}

// instant is empty for what did not happen.
func instant(t clock.Time) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

// Key is a key as operators see it.
type Key struct {
	ID        string `json:"key_id"`
	Usable    bool   `json:"usable"`
	CreatedAt string `json:"created_at"`
	ExpiresAt string `json:"expires_at,omitempty"`
	RevokedAt string `json:"revoked_at,omitempty"`
}

func showKey(k integration.Key, now clock.Time) Key {
	return Key{k.ID, k.Usable(now), instant(k.CreatedAt), instant(k.ExpiresAt), instant(k.RevokedAt)}
}

// state says in a word what a key is good for.
func (k Key) state() string {
	switch {
	case k.RevokedAt != "":
		return "revoked"
	case !k.Usable:
		return "expired"
	case k.ExpiresAt != "":
		return "until " + k.ExpiresAt
	}
	return "in use"
}

// IssuedKey is what a partner signs its tokens with: developer_id, key_id and
// signing_secret, as DD-JWT-V1 names them.
type IssuedKey struct {
	Developer string `json:"developer_id"`
	ID        string `json:"key_id"`
	Secret    string `json:"signing_secret"`
}

func showIssued(k integration.Issued) IssuedKey {
	return IssuedKey{k.Developer, k.ID, k.Secret.Text()}
}

// Endpoint is an endpoint as operators see it.
type Endpoint struct {
	ID        string               `json:"id"`
	Business  string               `json:"business,omitempty"` // "" is the whole partner
	URL       string               `json:"url"`
	Auth      integration.AuthKind `json:"auth"`
	User      string               `json:"user,omitempty"`
	TokenURL  string               `json:"token_url,omitempty"`
	Events    []string             `json:"events,omitempty"` // none is all
	Status    integration.Status   `json:"status"`
	OldUntil  string               `json:"old_secret_until,omitempty"`
	CreatedAt string               `json:"created_at"`
}

func showEndpoint(e integration.Endpoint, now clock.Time) Endpoint {
	out := Endpoint{ID: e.ID, Business: e.Business, URL: e.URL, Auth: e.Auth.Kind, User: e.Auth.User, TokenURL: e.Auth.TokenURL, Events: e.Events, Status: e.Status, CreatedAt: instant(e.CreatedAt)}
	if e.Before != "" && now < e.OldUntil {
		out.OldUntil = instant(e.OldUntil)
	}
	return out
}

// IssuedEndpoint is an endpoint with its new signing secret, in the form of Standard Webhooks.
type IssuedEndpoint struct {
	Endpoint
	Secret string `json:"signing_secret"`
}

// Whole is a partner with all that is its own.
type Whole struct {
	Partner
	Keys      []Key      `json:"keys"`
	Endpoints []Endpoint `json:"endpoints"`
}

// Write prints v, which a Desk returned, for people.
func Write(w io.Writer, v any) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	switch v := v.(type) {
	case Partner:
		writePartner(table, v)
	case []Partner:
		writePartners(table, v)
	case Key:
		fmt.Fprintf(table, "key_id\t%s\nstate\t%s\n", v.ID, v.state())
	case []Key:
		writeKeys(table, v)
	case IssuedKey:
		fmt.Fprintf(table, "developer_id\t%s\nkey_id\t%s\nsigning_secret\t%s\n", v.Developer, v.ID, v.Secret)
	case Endpoint:
		writeEndpoint(table, v)
	case []Endpoint:
		writeEndpoints(table, v)
	case IssuedEndpoint:
		writeEndpoint(table, v.Endpoint)
		fmt.Fprintf(table, "signing_secret\t%s\n", v.Secret)
	case Whole:
		writePartner(table, v.Partner)
		fmt.Fprintln(table)
		writeKeys(table, v.Keys)
		fmt.Fprintln(table)
		writeEndpoints(table, v.Endpoints)
	default:
		panic(fmt.Sprintf("partners: Write of a %T", v))
	}
	return table.Flush()
}

func writePartner(w io.Writer, p Partner) {
	fmt.Fprintf(w, "id\t%s\nname\t%s\nenvironment\t%s\ndialect\t%s\nmarkets\t%s\ndeveloper_id\t%s\nstatus\t%s\ncreated\t%s\n",
		p.ID, p.Name, p.Environment, p.Dialect, words(p.Markets), p.Developer, p.Status, p.CreatedAt)
}

func writePartners(w io.Writer, all []Partner) {
	if len(all) == 0 {
		fmt.Fprintln(w, "there are no partners")
		return
	}
	fmt.Fprintln(w, "ID\tENVIRONMENT\tSTATUS\tMARKETS\tNAME")
	for _, p := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Environment, p.Status, words(p.Markets), p.Name)
	}
}

func writeKeys(w io.Writer, all []Key) {
	if len(all) == 0 {
		fmt.Fprintln(w, "it has no keys")
		return
	}
	fmt.Fprintln(w, "KEY\tSTATE\tCREATED")
	for _, k := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.ID, k.state(), k.CreatedAt)
	}
}

func writeEndpoint(w io.Writer, e Endpoint) {
	fmt.Fprintf(w, "id\t%s\nurl\t%s\nauth\t%s\nevents\t%s\nstatus\t%s\n", e.ID, e.URL, e.Auth, events(e), e.Status)
	if e.Business != "" {
		fmt.Fprintf(w, "business\t%s\n", e.Business)
	}
	if e.OldUntil != "" {
		fmt.Fprintf(w, "old secret until\t%s\n", e.OldUntil)
	}
}

func writeEndpoints(w io.Writer, all []Endpoint) {
	if len(all) == 0 {
		fmt.Fprintln(w, "it has no endpoints")
		return
	}
	fmt.Fprintln(w, "ENDPOINT\tOF\tSTATUS\tAUTH\tEVENTS\tURL")
	for _, e := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, of(e), e.Status, e.Auth, events(e), e.URL)
	}
}

// of says whose deliveries an endpoint is told of.
func of(e Endpoint) string {
	if e.Business == "" {
		return "the partner"
	}
	return "business " + e.Business
}

func events(e Endpoint) string {
	if len(e.Events) == 0 {
		return "all"
	}
	return strings.Join(e.Events, ",")
}

func words[T ~string](all []T) string {
	text := make([]string, len(all))
	for i, v := range all {
		text[i] = string(v)
	}
	return strings.Join(text, ", ")
}
