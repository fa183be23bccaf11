// Package trace carries the name of what caused a call through the services,
// across what they keep and send later: the traceparent of W3C Trace Context, as
// text. Services keep it with what it caused, and act under it when they come back to that.
package trace

import (
	"context"
	"strings"
)

type key struct{}

// With returns a context under a traceparent. One that is not in the form that it must
// have is left out, and so is "".
func With(ctx context.Context, parent string) context.Context {
	if !Valid(parent) {
		return ctx
	}
	return context.WithValue(ctx, key{}, parent)
}

// From returns the traceparent that ctx is under, or "".
func From(ctx context.Context) string {
	p, _ := ctx.Value(key{}).(string)
	return p
}

// Valid reports whether p is a traceparent of version 00: trace, span and flags.
func Valid(p string) bool {
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
