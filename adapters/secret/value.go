// Package secret reads secrets from where a configuration refers to, and keeps
// them out of everything that is written. It stores none.
package secret

import (
	"fmt"
	"log/slog"
)

// Mask is what is shown in place of a secret.
const Mask = "[redacted]"

// Value is a secret that never shows itself: printed, marshalled or logged it is
// Mask. Its text is behind a function, so that not even reflection on a struct
// around it finds it. The zero Value is the empty secret.
type Value struct{ reveal func() string }

// Of returns a secret with this text.
func Of(text string) Value { return Value{func() string { return text }} }

// Reveal returns the secret's text, for the one call that needs it.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// String returns Mask.
func (Value) String() string { return Mask }

// GoString returns Mask.
func (Value) GoString() string { return Mask }

// Format writes Mask, whatever the verb.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mask)) } // fmt's own buffer: it never fails

// MarshalText returns Mask.
func (Value) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// MarshalJSON returns Mask.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }

// LogValue returns Mask.
func (Value) LogValue() slog.Value { return slog.StringValue(Mask) }
