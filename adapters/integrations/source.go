package integrations

import (
	"crypto/rand"
	"fmt"

	"footway/core/integration"
)

// Source makes ids and secrets that nobody can guess.
type Source struct{}

var _ integration.Source = Source{}

// NewID returns a UUID, version 4.
func (Source) NewID() string {
	var b [16]byte
	rand.Read(b[:]) // which never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// NewSecret returns 32 bytes.
func (Source) NewSecret() integration.Secret {
	b := make([]byte, 32)
	rand.Read(b) // which never fails
	return integration.SecretOf(b)
}
