//go:build !js

package stores

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"footway/adapters/secret"
	"footway/adapters/yamlfile"
	"footway/core/clock"
	"footway/core/setting"
)

// Deployment is the shape of a deployment file: where one installation of
// Footway keeps what it knows. It holds no secret: those are given by reference.
type Deployment struct {
	Databases     Databases     `json:"databases" doc:"PostgreSQL: each service that keeps rows owns a database."`
	Tables        Tables        `json:"tables" doc:"DynamoDB: fleet-robots, fleet-provider-accounts, task-tasks and leases."`
	Broker        Broker        `json:"broker" doc:"RabbitMQ: updates of deliveries on their way to Integrations."`
	Configuration Configuration `json:"configuration" doc:"Where the settings of the markets are."`
	Retention     Retention     `json:"retention" doc:"How long things are kept; footway stores tidy deletes what is older."`
	Markets       []Market      `json:"markets" doc:"The cities that are served. footway serve wants one at least."`
	Services      Services      `json:"services" doc:"Where each service listens, and where others reach it."`
	Security      Security      `json:"security" doc:"How services, robots and operators prove who they are."`
	Integrations  Integration   `json:"integrations" doc:"What partners may do, and how they are told."`
	Merchant      Merchant      `json:"merchant" doc:"The pages of merchants and recipients."`
	Telemetry     Telemetry     `json:"telemetry" doc:"Metrics, traces and health."`
	Journal       Journal       `json:"journal" doc:"The log of everything that happens."`
}

// Databases are the databases of a deployment.
type Databases struct {
	Deliveries   Database `json:"deliveries" doc:"Quotes, deliveries, personal data, the outbox."`
	Maps         Database `json:"maps" doc:"Networks, areas, closures, addresses. Needs PostGIS and pg_trgm."`
	Integrations Database `json:"integrations" doc:"What partners were told."`
}

// Database is one PostgreSQL database.
type Database struct {
	URL         string           `json:"url" required:"true" doc:"Address without a password, such as postgres://footway@db:5432/deliveries?sslmode=verify-full."`
	Password    secret.Reference `json:"password" doc:"Reference to the password: env:NAME or file:/path. Read anew for each connection. Default: none."`
	Connections int              `json:"connections" min:"1" max:"1000" doc:"Most connections of one process. The default is PostgreSQL's own limit of 100 over ten processes."`
	Timeout     clock.Duration   `json:"timeout" min:"100ms" max:"1m" doc:"Longest time that one call may take. The default is far above what a call takes when all is well, and below what a partner waits for."`
}

// Tables are the DynamoDB tables of a deployment.
type Tables struct {
	Endpoint  string           `json:"endpoint" doc:"Address of a server that speaks DynamoDB. Default: that of AWS in the region."`
	Region    string           `json:"region" required:"true" doc:"Such as us-west-2."`
	Prefix    string           `json:"prefix" doc:"Put before the name of each table, such as staging-. Default: none."`
	AccessKey secret.Reference `json:"access_key" doc:"Reference to the access key's id. Default, with secret_key: what AWS finds by itself, such as the role of the machine."`
	SecretKey secret.Reference `json:"secret_key" doc:"Reference to the secret access key."`
	Timeout   clock.Duration   `json:"timeout" min:"100ms" max:"1m" doc:"Longest time that one call may take, repeats included. The default leaves room for two repeats."`
}

// Broker is the RabbitMQ of a deployment.
type Broker struct {
	URL      string           `json:"url" required:"true" doc:"Address without a password, such as amqps://footway@mq:5671/production."`
	Password secret.Reference `json:"password" doc:"Reference to the password. Default: none."`
	Prefix   string           `json:"prefix" doc:"Put before the name of each exchange and queue. Default: none."`
	Timeout  clock.Duration   `json:"timeout" min:"100ms" max:"1m" doc:"Longest time until a published update is confirmed. The default is far above what a broker that is well needs, 4 ms."`
}

// Configuration says where the settings of the markets are.
type Configuration struct {
	From    string         `json:"from" doc:"A file, or s3://bucket/key. Default: the settings of the program."`
	Region  string         `json:"region" doc:"Of the bucket. Default: that of the tables."`
	Keep    string         `json:"keep" doc:"A file that keeps the last good version, for a start while the source is away. Default: none."`
	Refresh clock.Duration `json:"refresh" min:"1s" max:"1h" doc:"How often to look for a new version. The default is what a person who changed it is ready to wait."`
}

// Retention is how long things are kept.
type Retention struct {
	Personal clock.Duration `json:"personal" min:"1h" max:"8760h" doc:"Names, phones, addresses and notes of people, after their delivery has ended. The default covers questions and complaints of a month."`
	Quotes   clock.Duration `json:"quotes" min:"1h" max:"8760h" doc:"Quotes that nobody accepted, after they expired. The default lets a partner ask about one the next day."`
	Sent     clock.Duration `json:"sent" min:"1h" max:"8760h" doc:"Rows of the outbox, after they were sent. The default lets a day's updates be sent again."`
	Events   clock.Duration `json:"events" min:"1080h" max:"87600h" doc:"What partners were told, for them to read again. At least the longest silence of a delivery, which may be ordered a month ahead; the default lets partners reconcile once a month."`
}

// DefaultDeployment returns what a deployment file does not need to say.
func DefaultDeployment() Deployment {
	db := Database{Connections: 10, Timeout: 5 * clock.Second}
	return Deployment{
		Databases:     Databases{Deliveries: db, Maps: db, Integrations: db},
		Tables:        Tables{Timeout: 5 * clock.Second},
		Broker:        Broker{Timeout: 5 * clock.Second},
		Configuration: Configuration{Refresh: 30 * clock.Second},
		Retention:     Retention{Personal: 30 * clock.Day, Quotes: clock.Day, Sent: clock.Day, Events: 90 * clock.Day},
		Security:      Security{Wires: "mtls"},
		Integrations:  Integration{PerMinute: 300},
		Telemetry:     Telemetry{Sample: 1000},
		Journal:       Journal{Keep: 7 * clock.Day},
	}
}

// Check returns everything that is wrong with d, each by its path.
func (d *Deployment) Check() []error { return setting.Problems("", d) }

// Problems implements the rules that tags cannot say.
func (d Database) Problems(path string) []error {
	return address(path, d.URL, "postgres", "postgresql")
}

// Problems implements the rules that tags cannot say.
func (b Broker) Problems(path string) []error { return address(path, b.URL, "amqp", "amqps") }

// Problems implements the rules that tags cannot say.
func (t Tables) Problems(path string) []error {
	errs := address(path+".endpoint", t.Endpoint, "http", "https")
	if (t.AccessKey == secret.Reference{}) != (t.SecretKey == secret.Reference{}) {
		errs = append(errs, fmt.Errorf("%s: access_key and secret_key belong together; want both or none", path))
	}
	return errs
}

// address checks that text is a URL without a secret. An empty one is for the tags to judge.
func address(path, text string, schemes ...string) []error {
	if text == "" {
		return nil
	}
	if !strings.HasSuffix(path, ".endpoint") {
		path += ".url"
	}
	u, err := url.Parse(text)
	if err != nil {
		// The error repeats the text, which may hold a secret by mistake.
		return []error{fmt.Errorf("%s: cannot be read; want %s://user@host:port/name", path, schemes[0])}
	}
	var errs []error
	known := false
	for _, s := range schemes {
		known = known || u.Scheme == s
	}
	if !known || u.Host == "" {
		errs = append(errs, fmt.Errorf("%s: want %s://host:port", path, strings.Join(schemes, ":// or ")))
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") {
		errs = append(errs, errors.New(path+": it holds a password; want none here, and a reference such as env:NAME or file:/path under password"))
	}
	return errs
}

// ReadDeployment reads the deployment file at a path. Its errors say where in
// the file something is wrong, all of it at once.
func ReadDeployment(path string) (Deployment, error) {
	d := DefaultDeployment()
	doc, err := yamlfile.ReadPrivateFile(path)
	if err != nil {
		return d, err
	}
	if err := doc.Decode(&d); err != nil {
		return d, err
	}
	return d, doc.Explain(d.Check()...)
}
