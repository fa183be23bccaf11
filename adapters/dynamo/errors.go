package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"footway/core/fault"
)

const (
	opOpen   = "dynamo.Open"
	opCheck  = "dynamo.Check"
	opCreate = "dynamo.CreateTables"
)

// translate gives an error of the SDK its kind.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return classify(op, api)
	}
	reason := "connection" // what is left comes from the network: a reset, an end of file
	switch {
	case errors.Is(err, context.Canceled):
		reason = "cancelled"
	case isTimeout(err):
		reason = "timeout"
	}
	return &fault.Error{Op: op, Kind: fault.Unavailable, Reason: reason, Err: err}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && t.Timeout()
}

// classify gives what the server answered its kind. Its words are kept where
// they cannot hold a secret: those about a wrong signature repeat the
// request's headers, with the session's token.
func classify(op string, api smithy.APIError) error {
	switch code := api.ErrorCode(); code {
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "LimitExceededException", "ThrottledException":
		return fault.New(op, fault.Unavailable, "throttled", "%s: %s; more is asked of the table than it gives, also after retries", code, api.ErrorMessage())
	case "InternalServerError", "ServiceUnavailable", "InternalFailure":
		return fault.New(op, fault.Unavailable, "server", "%s: %s", code, api.ErrorMessage())
	case "ResourceNotFoundException":
		return fault.New(op, fault.Internal, "no_table", "%s: %s: a table or an index is missing: run `footway stores prepare`, and check prefix, region and endpoint", code, api.ErrorMessage())
	case "UnrecognizedClientException", "InvalidSignatureException", "IncompleteSignatureException", "MissingAuthenticationTokenException",
		"ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch":
		return fault.New(op, fault.Internal, "credentials", "%s: the credentials are not accepted: check the access key, its secret, the region, and this machine's clock", code)
	case "AccessDeniedException", "AccessDenied":
		return fault.New(op, fault.Internal, "access_denied", "%s: %s", code, api.ErrorMessage())
	default:
		if answer := api.ErrorFault(); answer == smithy.FaultServer {
			return fault.New(op, fault.Unavailable, "server", "%s: %s", code, api.ErrorMessage())
		}
		return fault.New(op, fault.Internal, "", "%s: %s", code, api.ErrorMessage())
	}
}

// refused reports whether err says that the condition of a write did not hold.
func refused(err error) bool {
	_, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	return ok
}

// badItem is the error of an item that this program did not write, or that was damaged since.
func badItem(op, key, format string, args ...any) error {
	return fault.New(op, fault.Internal, "bad_item", "item "+quote(key)+": "+format, args...)
}
