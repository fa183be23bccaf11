package dynamo

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// newClient returns the SDK's client with a limit on everything that has none
// by default: each phase of a connection, each attempt, the number of attempts, and
// the share of attempts that may be retries.
func newClient(c aws.Config, o Options) *dynamodb.Client {
	doer := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = o.Timeouts.Dial }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = o.Timeouts.TLS
			t.ResponseHeaderTimeout = o.Timeouts.Header
			t.MaxIdleConnsPerHost = 64
			t.IdleConnTimeout = time.Minute
		}).
		WithTimeout(o.Timeouts.Call)
	retryer := retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = o.Retries.MaxAttempts
		s.MaxBackoff = o.Retries.MaxBackoff
		s.Backoff = backoff(o.Retries.MaxBackoff)
		s.RateLimiter = ratelimit.NewTokenRateLimit(uint(o.Retries.Budget))
	})
	return dynamodb.NewFromConfig(c, func(d *dynamodb.Options) {
		d.HTTPClient = doer
		d.Retryer = retryer
		if o.Endpoint != "" {
			d.BaseEndpoint = &o.Endpoint
		}
		d.APIOptions = append(d.APIOptions, func(s *middleware.Stack) error {
			return s.Finalize.Insert(attempts{o.Timeouts.Attempt}, "Retry", middleware.After)
		})
		d.APIOptions = append(d.APIOptions, o.APIOptions...)
	})
}

// backoff returns how long to wait after an attempt: anything below a bound
// that begins at firstBackoff and doubles, so that those who failed together do not come back together.
func backoff(longest time.Duration) retry.BackoffDelayerFunc {
	const firstBackoff = 25 * time.Millisecond
	return func(attempt int, _ error) (time.Duration, error) {
		bound := min(longest, firstBackoff<<min(attempt, 16))
		return rand.N(bound), nil
	}
}

// attempts gives each attempt of a request a time limit of its own, and
// remembers whether one ended so that nobody knows whether it had an effect.
type attempts struct{ limit time.Duration }

// ID implements middleware.FinalizeMiddleware.
func (attempts) ID() string { return "FootwayAttempt" }

// HandleFinalize implements middleware.FinalizeMiddleware.
func (a attempts) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	limited, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	out, meta, err := next.HandleFinalize(limited, in)
	if err == nil {
		return out, meta, nil
	}
	if lost, ok := ctx.Value(lostKey{}).(*bool); ok && unsure(err) {
		*lost = true
	}
	if limited.Err() != nil && ctx.Err() == nil {
		err = slow{a.limit} // without what it wraps, which reads as cancelled by the caller
	}
	return out, meta, err
}

// unsure reports whether a request that ended so may have had its effect: the
// server did not say that it refused it.
func unsure(err error) bool {
	var refused smithy.APIError
	var answer *smithyhttp.ResponseError
	return !errors.As(err, &refused) || errors.As(err, &answer) && answer.HTTPStatusCode() >= 500
}

type lostKey struct{}

// noting returns a context of a request whose attempts note in lost that one
// ended so that nobody knows whether it had an effect.
func noting(ctx context.Context, lost *bool) context.Context {
	return context.WithValue(ctx, lostKey{}, lost)
}

// slow is an attempt that took longer than it may.
type slow struct{ within time.Duration }

// Error says how long it may take.
func (s slow) Error() string { return "no answer within " + s.within.String() }

// Timeout makes the SDK count it as a timeout.
func (slow) Timeout() bool { return true }

// RetryableError makes the SDK try again.
func (slow) RetryableError() bool { return true }
