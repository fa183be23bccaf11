package restapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

// Headers of ours and of others.
const (
	headerPartner   = "Footway-Partner" // on whose behalf a service calls
	headerRequestID = "Request-Id"
	headerTrace     = "Traceparent"
	headerKey       = "Idempotency-Key"
)

type tracesKey struct{}

// traces are what a request carries through all services.
type traces struct{ request, parent string }

// WithTraces returns a context whose calls carry a request id and a W3C
// traceparent; "" is none. What is not in the form that it must have is left out.
func WithTraces(ctx context.Context, requestID, traceparent string) context.Context {
	if !validRequestID(requestID) {
		requestID = ""
	}
	if !validTraceparent(traceparent) {
		traceparent = ""
	}
	return context.WithValue(ctx, tracesKey{}, traces{requestID, traceparent})
}

// RequestID returns the id of the request that ctx is of, or "".
func RequestID(ctx context.Context) string { return tracesOf(ctx).request }

// Traceparent returns the W3C traceparent of the request that ctx is of, or "".
func Traceparent(ctx context.Context) string { return tracesOf(ctx).parent }

func tracesOf(ctx context.Context) traces {
	t, _ := ctx.Value(tracesKey{}).(traces)
	return t
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

// validTraceparent reports whether p is a traceparent of version 00.
func validTraceparent(p string) bool {
	parts := strings.Split(p, "-")
	if len(parts) != 4 || parts[0] != "00" {
		return false
	}
	for i, size := range [...]int{2, 32, 16, 2} {
		if len(parts[i]) != size || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return false
		}
	}
	return strings.Trim(parts[1], "0") != "" && strings.Trim(parts[2], "0") != ""
}
