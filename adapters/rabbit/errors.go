package rabbit

import (
	"context"
	"errors"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/fault"
)

var errBadAddress = errors.New("the address of the broker cannot be read")

// translate gives an error of the client or the network its kind. Those of the
// broker name exchanges and queues, and nothing that is in a message.
func translate(op string, err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(op, fault.Unavailable, "timeout", "the broker did not answer in time")
	case errors.Is(err, context.Canceled):
		return fault.New(op, fault.Unavailable, "cancelled", "the caller gave up")
	case errors.Is(err, amqp.ErrCredentials), errors.Is(err, amqp.ErrVhost):
		// The client says so too when the network fails at this point.
		return fault.New(op, fault.Unavailable, "login", "the broker closed the connection at login: check user, password reference and virtual host, if it was not the network")
	}
	var said *amqp.Error
	if !errors.As(err, &said) || !said.Server {
		return &fault.Error{Op: op, Kind: fault.Unavailable, Reason: "connection", Err: err}
	}
	switch said.Code {
	case amqp.AccessRefused, amqp.NotAllowed:
		return fault.New(op, fault.Forbidden, "refused", "%s: check user, permissions and virtual host", said.Reason)
	case amqp.PreconditionFailed:
		if strings.Contains(said.Reason, "inequivalent arg") {
			return fault.New(op, fault.Conflict, "topology",
				"%s: it exists as it is called \"current\"; set the options to that, or drain it, delete it and let it be declared anew", said.Reason)
		}
	}
	return fault.New(op, fault.Unavailable, "broker", "the broker says: %s", said.Reason)
}
