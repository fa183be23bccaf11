package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"footway/core/fault"
)

// notModified reports whether the store says that the text is still the same.
func notModified(err error) bool {
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	return ok && answer.HTTPStatusCode() == http.StatusNotModified
}

// translate gives an error of the SDK its kind, and says what would be right. Its own text names
// requests and ports, which are others each time: then nobody could tell an old error from a new one.
func (d *Document) translate(err error) error {
	kind, cause := d.judge(err)
	return &fault.Error{Op: op, Kind: kind, Err: fmt.Errorf("%s: %w", d.Name(), cause)}
}

func (d *Document) judge(err error) (fault.Kind, error) {
	answer, answered := errors.AsType[*awshttp.ResponseError](err)
	if answered && answer.HTTPStatusCode() >= 300 {
		return d.judgeAnswer(answer)
	}
	if _, unsigned := errors.AsType[noCredentials](err); unsigned {
		return fault.Unavailable, errors.New("found no credentials to sign with; want AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of the machine")
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		if name.IsNotFound && d.options.Endpoint == "" {
			return fault.Unavailable, why("there is no host %s", "is the region %s right?", name.Name, d.region)
		}
		return fault.Unavailable, fmt.Errorf("looking up the host %s: %s", name.Name, name.Err)
	}
	late, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Unavailable, context.Canceled
	case errors.Is(err, context.DeadlineExceeded), isNet && late.Timeout():
		return fault.Unavailable, fmt.Errorf("no whole answer in %v, or %v for one attempt: %w", d.options.Timeout, d.options.Attempt, context.DeadlineExceeded)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.Unavailable, fmt.Errorf("the answer broke off: %w", io.ErrUnexpectedEOF)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fault.Unavailable, fmt.Errorf("%s %v: %w", e.Op, e.Addr, e.Err)
	}
	return fault.Unavailable, innermost(err)
}

// judgeAnswer is judge of an answer of the store.
func (d *Document) judgeAnswer(answer *awshttp.ResponseError) (fault.Kind, error) {
	code, status := "", answer.HTTPStatusCode()
	if e, ok := errors.AsType[smithy.APIError](answer); ok {
		code = e.ErrorCode()
	}
	if region := answer.Response.Header.Get("X-Amz-Bucket-Region"); region != "" && region != d.region && status < http.StatusForbidden {
		return fault.Invalid, why("the bucket is in region %s, and was asked for in %s", "want region %s", region, d.region, region)
	}
	switch code {
	case "NoSuchKey":
		return fault.NotFound, why("there is no such object in the bucket", "want the key of one")
	case "NoSuchBucket":
		return fault.NotFound, why("there is no such bucket", "want the name of one")
	case "AccessDenied", "AllAccessDisabled", "AccountProblem":
		return fault.Forbidden, why("not allowed (%s)", "want the permission s3:GetObject, and s3:ListBucket, without which AWS says this of a missing object too", code)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return fault.Forbidden, why("the store does not take the credentials (%s)", "want others", code)
	case "RequestTimeTooSkewed":
		return fault.Forbidden, why("the clock of this machine is wrong by more than 15 minutes", "want it set")
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return fault.Invalid, why("the bucket is in another region or behind another endpoint than %s (%s)", "want its own", d.region, code)
	case "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded":
		return fault.Exhausted, fmt.Errorf("the store asks for fewer requests (%s)", code)
	}
	return judgeStatus(status, code)
}

// judgeStatus is for codes that are none of AWS, or none that needs a word.
func judgeStatus(status int, code string) (fault.Kind, error) {
	cause := fmt.Errorf("the store answers %d %s (%s)", status, http.StatusText(status), code)
	switch {
	case status == http.StatusNotFound:
		return fault.NotFound, cause
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.Forbidden, cause
	case status == http.StatusTooManyRequests:
		return fault.Exhausted, cause
	case status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		return fault.Unavailable, cause
	}
	return fault.Invalid, cause
}

// innermost returns the error that the others are around.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
