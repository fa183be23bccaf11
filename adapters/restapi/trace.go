package restapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"footway/core/trace"
)

// Headers of ours and of others.
const (
	headerPartner   = "Footway-Partner" // on whose behalf a service calls
	headerRequestID = "Request-Id"
	headerTrace     = "Traceparent"
	headerKey       = "Idempotency-Key"
)

type requestKey struct{}

// WithTraces returns a context whose calls carry a request id and a W3C
// traceparent; "" is none. What is not in the form that it must have is left out.
func WithTraces(ctx context.Context, requestID, traceparent string) context.Context {
	if !validRequestID(requestID) {
		requestID = ""
	}
	return context.WithValue(trace.With(ctx, traceparent), requestKey{}, requestID)
}

// RequestID returns the id of the request that ctx is of, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// received returns the context of a request that arrived, which has an id.
func received(r *http.Request) context.Context {
	id := r.Header.Get(headerRequestID)
	if !validRequestID(id) {
		var b [12]byte
		rand.Read(b[:]) // never fails
		id = hex.EncodeToString(b[:])
	}
	return WithTraces(r.Context(), id, r.Header.Get(headerTrace))
}

func validRequestID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return id != "" && len(id) <= 64
}
