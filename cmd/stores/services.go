//go:build !js

package stores

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"footway/adapters/secret"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/market"
)

// Names of the services, in the order in which a process starts them.
var ServiceNames = []string{"config", "maps", "fleet", "task", "dispatch", "deliveries", "integrations", "merchant"}

// Market is a market that a deployment serves.
type Market struct {
	ID       market.ID `json:"id" required:"true" doc:"Such as wedgwood."`
	TimeZone string    `json:"time_zone" required:"true" doc:"IANA name, such as America/Los_Angeles: hours of areas are in it."`
	Sandbox  bool      `json:"sandbox" doc:"Whether its robots are simulated. Keys of sandbox partners reach only such markets, and others' never do. Default false."`
}

// Problems implements the rules that tags cannot say.
func (m Market) Problems(path string) []error {
	if _, err := time.LoadLocation(m.TimeZone); err != nil || m.TimeZone == "Local" {
		return []error{fmt.Errorf("%s.time_zone: %q is unknown; want an IANA name, such as America/Los_Angeles", path, m.TimeZone)}
	}
	return nil
}

// Service is one service of a deployment.
type Service struct {
	Listen  string           `json:"listen" doc:"HOST:PORT where a replica listens. Services with gRPC may share one. Default: none, as where all services are in one process."`
	Address string           `json:"address" doc:"Where others reach it: http(s)://HOST:PORT for integrations, deliveries and dispatch; a gRPC target such as dns:///fleet:7003 for the others, which finds every replica behind the name. Default: nobody calls it from another process."`
	Token   secret.Reference `json:"token" doc:"Reference to the secret that this service shows to others. Default: none, so that its certificate must say who it is."`
	Before  secret.Reference `json:"token_before" doc:"Reference to the token before, which is believed too while it is replaced. Default: none."`
}

// Problems implements the rules that tags cannot say.
func (s Service) Problems(path string) []error {
	if s.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return []error{fmt.Errorf("%s.listen: want HOST:PORT, such as 0.0.0.0:7003", path)}
	}
	return nil
}

// Services are the services of a deployment.
type Services struct {
	Integrations Service `json:"integrations" doc:"What partners call, in the words of Drive v2. HTTP."`
	Deliveries   Service `json:"deliveries" doc:"Quotes and deliveries. REST."`
	Dispatch     Service `json:"dispatch" doc:"Which robot goes. REST."`
	Fleet        Service `json:"fleet" doc:"Robots, and their streams. gRPC."`
	Task         Service `json:"task" doc:"What robots do, and their streams. gRPC."`
	Maps         Service `json:"maps" doc:"Ways, areas, addresses. gRPC."`
	Config       Service `json:"config" doc:"Settings of the markets. gRPC."`
	Merchant     Service `json:"merchant" doc:"The pages of merchants and recipients. HTTP, for browsers: put it behind what ends TLS, as Integrations."`
}

// Of returns the service of a name, one of ServiceNames.
func (s *Services) Of(name string) *Service {
	switch name {
	case "integrations":
		return &s.Integrations
	case "deliveries":
		return &s.Deliveries
	case "dispatch":
		return &s.Dispatch
	case "fleet":
		return &s.Fleet
	case "task":
		return &s.Task
	case "maps":
		return &s.Maps
	case "config":
		return &s.Config
	case "merchant":
		return &s.Merchant
	}
	panic("stores: there is no service " + name)
}

// Security says how services, robots and operators prove who they are.
type Security struct {
	Wires         string           `json:"wires" enum:"mtls,plain" doc:"mtls: TLS with certificates on both sides of each wire between services, and for robots. plain: none, for one machine and for development; tokens are wanted all the same. Default mtls."`
	Certificate   string           `json:"certificate" doc:"PEM file of this process's certificate, with SPIFFE ids such as spiffe://DOMAIN/service/fleet. Read again when it changes."`
	Key           string           `json:"key" doc:"PEM file of its key."`
	CA            string           `json:"ca" doc:"PEM file of the authorities whose certificates the other side may show."`
	TrustDomain   string           `json:"trust_domain" doc:"Domain of the SPIFFE ids, such as footway.example."`
	OperatorToken secret.Reference `json:"operator_token" doc:"Reference to the secret of operators' tools, which register robots, docks and accounts. Default: only certificates of service/operator may."`
	Simulator     secret.Reference `json:"simulator_token" doc:"Reference to the secret of footway robots --people, which acts for all merchants and recipients. Only where every market is a sandbox. Default: nobody may."`
	Digests       secret.Reference `json:"digest_key" doc:"Reference to at least 32 bytes that key the stored digests of requests. Default: they are not keyed, and who reads the database could try out phone numbers."`
	DigestsBefore secret.Reference `json:"digest_key_before" doc:"Reference to the key before, while it is replaced. Default: none."`
	Links         secret.Reference `json:"link_key" doc:"Reference to at least 32 bytes that make the links of recipients' pages, which open a robot. Default: there are no such pages."`
	LinksBefore   secret.Reference `json:"link_key_before" doc:"Reference to the key before, while links under it are in use. Default: none."`
	Passes        secret.Reference `json:"pass_key" doc:"Reference to at least 32 bytes, the same for merchant, deliveries and integrations, that sign the passes with which merchants' pages call Deliveries and Integrations. Default: there are no such pages."`
	PassesBefore  secret.Reference `json:"pass_key_before" doc:"Reference to the key before, while it is replaced. Default: none."`
	Accounts      []Account        `json:"accounts" doc:"Providers of robots that prove themselves by tokens. Default: robots show certificates."`
}

// CheckServing returns what keeps the services of these names from running as d says, beyond what
// Check finds: databases can be prepared without it.
func (d *Deployment) CheckServing(names []string) []error {
	var errs []error
	missing := func(path, value, why string) {
		if value == "" {
			errs = append(errs, fmt.Errorf("%s: missing; %s", path, why))
		}
	}
	if len(d.Markets) == 0 {
		errs = append(errs, errors.New("markets: missing; want at least one with id and time_zone"))
	}
	if (d.Security.Simulator != secret.Reference{}) {
		for _, m := range d.Markets {
			if !m.Sandbox {
				errs = append(errs, fmt.Errorf("security.simulator_token: market %s is no sandbox; want none where robots and people are real", m.ID))
			}
		}
	}
	if s := d.Security; s.Wires == "mtls" {
		const why = "mtls wants it, or say wires: plain for development"
		missing("security.certificate", s.Certificate, why)
		missing("security.key", s.Key, why)
		missing("security.ca", s.CA, why)
		missing("security.trust_domain", s.TrustDomain, why)
	}
	for _, name := range ServiceNames {
		s := d.Services.Of(name)
		switch {
		case slices.Contains(names, name):
			inside := name == "config" || name == "maps" || name == "dispatch" || name == "merchant"
			if !inside || len(names) < len(ServiceNames) {
				missing("services."+name+".listen", s.Listen, "it is to be served here, and somebody must reach it")
			}
			if len(names) < len(ServiceNames) && d.Security.Wires == "plain" {
				missing("services."+name+".token", s.Token.String(), "without mtls its token says who it is")
			}
		case name != "integrations" && name != "merchant":
			missing("services."+name+".address", s.Address, "it is not served here, and others need it")
		}
	}
	if slices.Contains(names, "integrations") {
		missing("integrations.seal_key", d.Integrations.SealKey.String(), "partners' secrets are sealed with it")
	}
	if slices.Contains(names, "merchant") && d.Services.Merchant.Listen != "" {
		missing("security.pass_key", d.Security.Passes.String(), "merchants' pages call Deliveries with passes that it signs")
	}
	return errs
}

// Account is how the robots of a provider prove who they are.
type Account struct {
	ID    fleet.AccountID  `json:"id" required:"true" doc:"Of the account, as Fleet has it."`
	Token secret.Reference `json:"token" doc:"Reference to a secret that all of its robots share, for development. Default: none."`
	Keys  []AccountKey     `json:"keys" doc:"Public keys that check the tokens which its robots show (EdDSA). Default: none."`
}

// AccountKey is a public key of an account.
type AccountKey struct {
	ID   string `json:"id" required:"true" doc:"The kid of tokens that it checks."`
	File string `json:"file" required:"true" doc:"PEM file of the Ed25519 public key."`
}

// Telemetry says where what a process tells of itself goes.
type Telemetry struct {
	Listen string `json:"listen" doc:"HOST:PORT of /metrics, /livez and /readyz. It asks nobody who they are, so it must not be reachable from outside. Default: none."`
	Traces string `json:"traces" doc:"Address that takes OpenTelemetry traces by OTLP over HTTP, such as http://collector:4318. Default: none are made."`
	Sample int64  `json:"sample" min:"0" max:"1000" unit:"permille" doc:"Share of requests from partners that are traced. The default traces all: a delivery makes some fifty spans."`
	Pprof  bool   `json:"pprof" doc:"Whether /debug/pprof is there too. Default false."`
}

// Integration is what only Integrations needs.
type Integration struct {
	TrackingURL string           `json:"tracking_url" doc:"Where recipients' pages are, such as https://footway.example/r/: the secret of a delivery's link (security.link_key) is appended. Default: partners and merchants get no links."`
	Record      string           `json:"record" doc:"Folder for recordings of what partners ask, for replays in the twin. They hold personal data: footway recordings scrub takes it out. Default: nothing is recorded."`
	SealKey     secret.Reference `json:"seal_key" doc:"Reference to the 32 bytes, in base64, that seal partners' secrets in the database."`
	SealBefore  secret.Reference `json:"seal_key_before" doc:"Reference to the key before, while it is replaced. Default: none."`
	TokenKey    secret.Reference `json:"token_key" doc:"Reference to at least 32 bytes that sign OAuth access tokens. Default: partners sign each request themselves (DD-JWT-V1), and there are no access tokens."`
	TokenBefore secret.Reference `json:"token_key_before" doc:"Reference to the key before, while it is replaced. Default: none."`
	PrivateURLs bool             `json:"private_urls" doc:"Whether webhooks may go to private addresses and by plain http, for development. Default false."`
	PerMinute   int              `json:"per_minute" min:"1" max:"1000000" unit:"requests" doc:"Requests of one key in a minute. The default is what Drive allows."`
}

// Merchant is what only the pages of merchants and recipients need.
type Merchant struct {
	Direct   []delivery.PartnerID `json:"direct" doc:"Partners whose merchants order for customers of their own, and so may see who these are. Other merchants see their own side of an order. Default: none."`
	Support  string               `json:"support" doc:"Phone number that merchants and recipients may call, such as +12065550100. Default: none is shown."`
	Secure   bool                 `json:"secure" doc:"Whether browsers come by https, as they must outside of one machine: cookies are then for https only. Default false."`
	Proxies  bool                 `json:"proxies" doc:"Whether a proxy of ours stands before the pages and appends the browser's address to X-Forwarded-For. Default false."`
	Provider Provider             `json:"provider" doc:"An identity provider (OpenID Connect) with which people may sign in. Default: they have passwords only."`
}

// Provider is an identity provider.
type Provider struct {
	Name     string           `json:"name" doc:"What it is called on the button, such as Google. Default: your company's sign-in."`
	Issuer   string           `json:"issuer" doc:"Its address, such as https://accounts.google.com. Default: there is none."`
	Client   string           `json:"client_id" doc:"Our id there."`
	Secret   secret.Reference `json:"client_secret" doc:"Reference to our secret there. Default: none, as of a public client."`
	Redirect string           `json:"redirect_url" doc:"Where it sends people back to, as it was registered there: https://HOST/merchant/sign-in/provider."`
}

// Problems implements the rules that tags cannot say.
func (p Provider) Problems(path string) []error {
	var errs []error
	for _, f := range []struct{ name, value string }{{"client_id", p.Client}, {"redirect_url", p.Redirect}} {
		if p.Issuer != "" && f.value == "" {
			errs = append(errs, fmt.Errorf("%s.%s: missing; a provider with an issuer needs it", path, f.name))
		}
	}
	return errs
}

// Journal says where the log of everything that happens goes.
type Journal struct {
	Folder string         `json:"folder" doc:"Folder for .fwlog files, which the visualizer plays. Default: none are written."`
	Keep   clock.Duration `json:"keep" min:"1h" max:"8760h" doc:"How long they are kept. The default lets last week be looked at."`
}
