package dynamo

import (
	"cmp"
	"context"
	"log/slog"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"footway/core/clock"
	"footway/core/fault"
)

// Options say how to reach DynamoDB. The zero value is Amazon's, with the
// region and credentials that the process's environment gives.
type Options struct {
	// Endpoint is the address of a server other than Amazon's, such as http://127.0.0.1:8000.
	Endpoint string
	// Region is where the tables are, such as us-east-1. "" is what the environment says.
	Region string
	// Prefix begins the names of the tables, so that installations can share an account.
	Prefix string
	// Credentials sign requests. Nil is what the environment gives: variables, files, the machine's role.
	Credentials aws.CredentialsProvider
	// Timeouts bound how long everything may take.
	Timeouts Timeouts
	// Retries bound how often a request is repeated.
	Retries Retries
	// PageSize is how many items a query returns at once at most. 0 is as many as fit in 1 MB.
	PageSize int
	// Overlap is how far back the feed of tasks' changes looks again; see feed. 0 is a minute.
	Overlap time.Duration
	// Retention is how long a task is kept after its last write, once it has ended. 0 is 30 days.
	Retention time.Duration
	// Now is the clock that stamps writes. Nil is the machine's. One that runs at another
	// speed is right only where indexes do not lag.
	Now func() time.Time
	// Logger is told of what no caller hears. Nil: nobody is.
	Logger *slog.Logger
	// APIOptions change the SDK's stack of middlewares, as for tracing, or to inject faults in a test.
	APIOptions []func(*middleware.Stack) error
}

// Timeouts bound how long things may take; 0 is the default of each.
type Timeouts struct {
	Dial    time.Duration // making a connection: 2 s
	TLS     time.Duration // agreeing on keys: 2 s
	Header  time.Duration // from the end of a request to the first byte of its answer: 3 s
	Attempt time.Duration // one attempt of a request: 4 s
	Call    time.Duration // a call of a store, with all attempts of its requests: 10 s
}

// Retries bound how often a request is repeated; 0 is the default of each.
type Retries struct {
	MaxAttempts int           // of one request: 4
	MaxBackoff  time.Duration // between two attempts, drawn at random below it and below a bound that doubles: 1 s
	Budget      int           // tokens that all requests share, of which a retry takes 5 or, after a timeout, 10, and a success gives 1 back: 500
}

func (o Options) withDefaults() Options {
	t, r := &o.Timeouts, &o.Retries
	t.Dial = cmp.Or(t.Dial, 2*time.Second)
	t.TLS = cmp.Or(t.TLS, 2*time.Second)
	t.Header = cmp.Or(t.Header, 3*time.Second)
	t.Attempt = cmp.Or(t.Attempt, 4*time.Second)
	t.Call = cmp.Or(t.Call, 10*time.Second)
	r.MaxAttempts = cmp.Or(r.MaxAttempts, 4)
	r.MaxBackoff = cmp.Or(r.MaxBackoff, time.Second)
	r.Budget = cmp.Or(r.Budget, 500)
	o.Overlap = cmp.Or(o.Overlap, time.Minute)
	o.Retention = cmp.Or(o.Retention, 30*24*time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// prefixes is what the name of a table may begin with.
var prefixes = regexp.MustCompile(`^[a-zA-Z0-9_.-]{0,200}$`)

func (o Options) check() error {
	bad := func(format string, args ...any) error {
		return fault.New(opOpen, fault.Invalid, "bad_options", format, args...)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"dial timeout", o.Timeouts.Dial}, {"TLS timeout", o.Timeouts.TLS}, {"header timeout", o.Timeouts.Header},
		{"attempt timeout", o.Timeouts.Attempt}, {"call timeout", o.Timeouts.Call}, {"backoff", o.Retries.MaxBackoff},
	} {
		if d.value <= 0 {
			return bad("%s is %s; want more than none", d.name, d.value)
		}
	}
	switch {
	case !prefixes.MatchString(o.Prefix):
		return bad("prefix %q; want letters, digits, _, . or -, 200 at most", o.Prefix)
	case o.Timeouts.Attempt > o.Timeouts.Call:
		return bad("attempt timeout %s is longer than that of the call, %s", o.Timeouts.Attempt, o.Timeouts.Call)
	case o.Overlap <= o.Timeouts.Call:
		return bad("overlap %s of the feed: want it above the call timeout, %s, since writes can be under way for so long", o.Overlap, o.Timeouts.Call)
	case o.Retention <= o.Overlap:
		return bad("retention %s: want it above the overlap of the feed, %s", o.Retention, o.Overlap)
	case o.Retries.MaxAttempts < 1 || o.Retries.Budget < 1:
		return bad("%d attempts with a budget of %d; want at least 1 of each", o.Retries.MaxAttempts, o.Retries.Budget)
	case o.PageSize < 0:
		return bad("page size %d; want none (0) or more", o.PageSize)
	}
	return nil
}

// DB is a client of the three tables. It is safe for concurrent use.
type DB struct {
	options Options
	client  *dynamodb.Client
	tables  Tables
}

// Open returns a client. It asks for nothing, neither credentials nor tables: processes that
// need no table open one too. Check does. Without a region it fails with fault.Invalid.
func Open(ctx context.Context, o Options) (*DB, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeouts.Call)
	defer cancel()
	var load []func(*config.LoadOptions) error
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(o.Credentials))
	}
	c, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, &fault.Error{Op: opOpen, Kind: fault.Invalid, Reason: "bad_environment", Err: err}
	}
	if c.Region == "" {
		return nil, fault.New(opOpen, fault.Invalid, "no_region", "no region: want one in the configuration, or in AWS_REGION")
	}
	db := &DB{options: o, client: newClient(c, o), tables: Tables{Prefix: o.Prefix, Logger: o.Logger}}
	return db, nil
}

// Check returns an error unless the tables can be reached and are as this
// program expects them.
func (db *DB) Check(ctx context.Context) error {
	ctx, cancel := db.call(ctx)
	defer cancel()
	if _, err := db.client.Options().Credentials.Retrieve(ctx); err != nil {
		return &fault.Error{Op: opCheck, Kind: fault.Internal, Reason: "no_credentials", Err: err}
	}
	for _, want := range db.tables.all() {
		got, err := describe(ctx, db.client, *want.TableName)
		if err != nil {
			return translate(opCheck, err)
		}
		if got == nil {
			return fault.New(opCheck, fault.Internal, "no_table", "there is no table %s in %s: run `footway stores prepare`", *want.TableName, db.client.Options().Region)
		}
		if err := differs(want, got); err != nil {
			return err
		}
		if !usable(got) {
			return fault.New(opCheck, fault.Unavailable, "not_active", "table %s is %s, or an index of it is not active yet", *want.TableName, got.TableStatus)
		}
	}
	return nil
}

// CreateTables creates the tables that do not exist; see the function of that name.
func (db *DB) CreateTables(ctx context.Context) error { return CreateTables(ctx, db.client, db.tables) }

// call returns the context of one call of a store.
func (db *DB) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, db.options.Timeouts.Call)
}

// now returns the instant that stamps a write.
func (db *DB) now() clock.Time { return max(0, clock.Of(db.options.Now())) }
