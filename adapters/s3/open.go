package s3

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"footway/core/fault"
)

// Options say where an object is, and how long to wait for it.
type Options struct {
	Bucket, Key string
	Region      string // of the bucket; empty: what AWS finds by itself, such as AWS_REGION
	Endpoint    string // of another store than AWS, such as http://127.0.0.1:9000; empty: AWS
	PathStyle   bool   // the bucket is part of the path, not of the host's name, as most other stores want it

	// Credentials of the reader; nil: what AWS finds by itself, such as the role of the machine.
	Credentials aws.CredentialsProvider

	Timeout time.Duration // of one Fetch, repeats included; 0 is 8 s
	Attempt time.Duration // of one attempt of it, the body included; 0 is 3 s
}

const (
	op       = "s3.Fetch"
	attempts = 3
)

// bucketName is how AWS lets buckets be called, without its finer points.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// Open returns the object that o names. It asks nobody yet; what is wrong with o is fault.Invalid.
func Open(ctx context.Context, o Options) (*Document, error) {
	if o.Timeout <= 0 {
		o.Timeout = 8 * time.Second
	}
	if o.Attempt <= 0 {
		o.Attempt = min(3*time.Second, o.Timeout)
	}
	d := &Document{options: o}
	if err := d.check(); err != nil {
		return nil, err
	}
	c, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithHTTPClient(httpClient(o.Attempt)),
		awsconfig.WithRetryer(retryer),
		awsconfig.WithLogger(logging.Nop{}), // it would log beside the program's logger, and past what redacts it
		func(c *awsconfig.LoadOptions) error {
			c.Region, c.Credentials = o.Region, o.Credentials
			return nil
		})
	if err != nil {
		// The error may quote a line of a file that holds secrets.
		return nil, fault.New("s3.Open", fault.Invalid, "bad_aws_settings",
			"%s: the settings of AWS on this machine cannot be used; want good files in ~/.aws, and in them the profile that AWS_PROFILE names", d.Name())
	}
	if d.region = c.Region; d.region == "" {
		return nil, fault.New("s3.Open", fault.Invalid, "no_region", "%s: the region of the bucket is missing; want one such as us-west-2, or AWS_REGION set", d.Name())
	}
	d.client = s3.NewFromConfig(c, func(c *s3.Options) {
		c.UsePathStyle = o.PathStyle
		c.Credentials = marked{c.Credentials}
		c.DisableLogOutputChecksumValidationSkipped = true
		if o.Endpoint != "" {
			c.BaseEndpoint = &o.Endpoint
		}
	})
	return d, nil
}

func (d *Document) check() error {
	o := d.options
	bad := func(reason, format string, args ...any) error {
		return fault.New("s3.Open", fault.Invalid, reason, format, args...)
	}
	switch {
	case !bucketName.MatchString(o.Bucket):
		return bad("bad_bucket", "bucket %q: want 3 to 63 of lower-case letters, digits, - and .", o.Bucket)
	case o.Key == "" || len(o.Key) > 1024:
		return bad("bad_key", "key of %d bytes in bucket %s: want 1 to 1024", len(o.Key), o.Bucket)
	case o.Endpoint != "":
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return bad("bad_endpoint", "%s: its endpoint cannot be used; want https://host:port without a user", d.Name()) // it may hold a secret by mistake
		}
	}
	return nil
}

// httpClient has a limit for each step of an attempt, and for the whole of it: the SDK sets none.
func httpClient(attempt time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(attempt).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = attempt }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = attempt, attempt
			t.MaxIdleConns, t.IdleConnTimeout = 2, time.Minute
		})
}

// retryer repeats what may go well the next time. The SDK's own budget for repeats would be used up
// in a long outage, and then hide what is wrong.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff, o.RateLimiter = attempts, 300*time.Millisecond, ratelimit.None
	})
}

// marked are credentials whose errors can be told from those of the store.
type marked struct{ aws.CredentialsProvider }

type noCredentials struct{ error }

func (e noCredentials) Unwrap() error { return e.error }

// Retrieve implements aws.CredentialsProvider.
func (m marked) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := m.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return c, noCredentials{err}
	}
	return c, nil
}
