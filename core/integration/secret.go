package integration

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
)

// mask is what is shown in place of a secret.
const mask = "[redacted]"

// Secret is a secret that does not show itself: printed or marshalled it is a
// mask. The zero Secret is empty, and equal to none.
type Secret struct{ reveal func() []byte }

// SecretOf returns a secret of these bytes, which are copied.
func SecretOf(b []byte) Secret {
	own := append([]byte(nil), b...)
	return Secret{func() []byte { return own }}
}

// ParseSecret reads what Text wrote, in either alphabet of base 64, padded or not.
func ParseSecret(text string) (Secret, bool) {
	for _, e := range [...]*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.StdEncoding} {
		if b, err := e.Strict().DecodeString(text); err == nil && len(b) > 0 {
			return SecretOf(b), true
		}
	}
	return Secret{}, false
}

// Bytes returns the secret itself, for the one call that needs it. It is not to be changed.
func (s Secret) Bytes() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// Text returns the secret as a partner gets to see it, once.
func (s Secret) Text() string { return base64.RawURLEncoding.EncodeToString(s.Bytes()) }

// WebhookText returns the secret in the form that libraries for Standard Webhooks read.
func (s Secret) WebhookText() string {
	return "whsec_" + base64.StdEncoding.EncodeToString(s.Bytes())
}

// Equal reports whether both are the same and not empty, in a time that tells nothing but the length.
func (s Secret) Equal(other Secret) bool {
	return len(s.Bytes()) > 0 && subtle.ConstantTimeCompare(s.Bytes(), other.Bytes()) == 1
}

// String returns a mask.
func (Secret) String() string { return mask }

// GoString returns a mask.
func (Secret) GoString() string { return mask }

// Format writes a mask, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(mask)) } // fmt's own buffer: it never fails

// MarshalText returns a mask.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }
