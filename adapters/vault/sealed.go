package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"

	"footway/core/fault"
	"footway/core/integration"
)

// Sealed encrypts secrets before another store gets them: AES-256-GCM, under
// the secret's name, so that none can be put in another's place.
type Sealed struct {
	integration.SecretStore
	keys []sealKey
}

type sealKey struct {
	id   [idBytes]byte
	aead cipher.AEAD
}

var _ integration.SecretStore = (*Sealed)(nil)

const (
	keyBytes    = 32
	idBytes     = 8
	sealVersion = 1 // the first byte; then the key's id, the nonce, and the rest
)

// NewSealed returns a store that seals with the first key, and opens with any: to replace a key, put
// the new one before it, have everything put again, and take it away.
func NewSealed(s integration.SecretStore, keys ...integration.Secret) (*Sealed, error) {
	const op = "vault.NewSealed"
	sealed := &Sealed{SecretStore: s}
	for _, k := range keys {
		if len(k.Bytes()) != keyBytes {
			return nil, fault.New(op, fault.Invalid, "bad_key", "a key has %d bytes; want %d", len(k.Bytes()), keyBytes)
		}
		block, err := aes.NewCipher(k.Bytes())
		if err != nil {
			return nil, &fault.Error{Op: op, Kind: fault.Internal, Err: err}
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, &fault.Error{Op: op, Kind: fault.Internal, Err: err}
		}
		sum := sha256.Sum256(append([]byte("footway key id\n"), k.Bytes()...))
		sealed.keys = append(sealed.keys, sealKey{[idBytes]byte(sum[:idBytes]), aead})
	}
	if len(keys) == 0 {
		return nil, fault.New(op, fault.Invalid, "bad_key", "no key; want at least one of %d bytes", keyBytes)
	}
	return sealed, nil
}

// PutSecret implements integration.SecretStore.
func (s *Sealed) PutSecret(ctx context.Context, name string, secret integration.Secret) error {
	k := s.keys[0]
	out := append([]byte{sealVersion}, k.id[:]...)
	nonce := make([]byte, k.aead.NonceSize())
	rand.Read(nonce) // which never fails
	out = append(out, nonce...)
	return s.SecretStore.PutSecret(ctx, name, integration.SecretOf(k.aead.Seal(out, nonce, secret.Bytes(), []byte(name))))
}

// Secret implements integration.SecretStore. One that was changed, or sealed with a
// key that is not here, is a fault.Internal.
func (s *Sealed) Secret(ctx context.Context, name string) (integration.Secret, error) {
	sealed, err := s.SecretStore.Secret(ctx, name)
	if err != nil {
		return integration.Secret{}, err
	}
	b := sealed.Bytes()
	if len(b) > idBytes && b[0] == sealVersion {
		for _, k := range s.keys {
			rest := b[1+idBytes:]
			if subtle.ConstantTimeCompare(k.id[:], b[1:1+idBytes]) != 1 || len(rest) < k.aead.NonceSize() {
				continue
			}
			n := k.aead.NonceSize()
			if open, err := k.aead.Open(nil, rest[:n], rest[n:], []byte(name)); err == nil {
				return integration.SecretOf(open), nil
			}
		}
	}
	return integration.Secret{}, fault.New("vault.Secret", fault.Internal, "cannot_open", "a secret cannot be opened: it was changed, or sealed with a key that is not here")
}
