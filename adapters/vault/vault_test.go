package vault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/adapters/vault"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/porttest"
)

func key(b byte) integration.Secret { return integration.SecretOf(bytes.Repeat([]byte{b}, 32)) }

func seal(t *testing.T, s integration.SecretStore, keys ...integration.Secret) *vault.Sealed {
	t.Helper()
	v, err := vault.NewSealed(s, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func open(t *testing.T) integration.SecretStore {
	t.Helper()
	f, err := vault.OpenFolder(filepath.Join(t.TempDir(), "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFolder(t *testing.T) { porttest.SecretStore(t, open) }

func TestSealed(t *testing.T) {
	porttest.SecretStore(t, func(t *testing.T) integration.SecretStore { return seal(t, memory.NewRegistry(), key(1)) })
	t.Run("in a folder", func(t *testing.T) {
		porttest.SecretStore(t, func(t *testing.T) integration.SecretStore { return seal(t, open(t), key(1), key(2)) })
	})
}

// TestFolderIsPrivate looks at what is on the disk.
func TestFolderIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets")
	f, err := vault.OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key/a", "../../escape", "/etc/passwd"} {
		if err := f.PutSecret(t.Context(), name, integration.SecretOf([]byte("s"))); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(path)
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v; want 3, and none left over", len(files), err)
	}
	for _, e := range files {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s, %v; want 0600", e.Name(), info.Mode(), err)
		}
	}
	if err := f.PutSecret(t.Context(), strings.Repeat("n", 300), integration.SecretOf([]byte("s"))); !fault.Is(err, fault.Invalid) {
		t.Errorf("a name that is too long: %v", err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenFolder(path); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a folder that others may look into: %v", err)
	}
}

func TestSealing(t *testing.T) {
	below, ctx := memory.NewRegistry(), t.Context()
	old := seal(t, below, key(1))
	secret := integration.SecretOf([]byte("hunter2-hunter2"))
	for range 2 {
		if err := old.PutSecret(ctx, "a", secret); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := below.Secret(ctx, "a")
	if err != nil || bytes.Contains(raw.Bytes(), []byte("hunter2")) {
		t.Fatalf("what is kept shows the secret: %v", err)
	}
	both := seal(t, below, key(2), key(1))
	if got, err := both.Secret(ctx, "a"); err != nil || !got.Equal(secret) {
		t.Errorf("with a new key beside the old one: %v", err)
	}
	refused := func(what string, v *vault.Sealed, name string) {
		t.Helper()
		if got, err := v.Secret(ctx, name); !fault.Is(err, fault.Internal) || len(got.Bytes()) > 0 {
			t.Errorf("%s: %d bytes, %v; want it refused", what, len(got.Bytes()), err)
		}
	}
	refused("without its key", seal(t, below, key(2)), "a")
	put := func(name string, b []byte) {
		t.Helper()
		if err := below.PutSecret(ctx, name, integration.SecretOf(b)); err != nil {
			t.Fatal(err)
		}
	}
	put("b", raw.Bytes())
	refused("under another's name", both, "b")
	for i := range raw.Bytes() {
		changed := bytes.Clone(raw.Bytes())
		changed[i] ^= 1
		put("b", changed)
		put("a", changed)
		refused("changed", both, "a")
	}
	for n := range raw.Bytes() {
		put("a", raw.Bytes()[:n])
		refused("cut off", both, "a")
	}
	if err := both.PutSecret(ctx, "a", secret); err != nil {
		t.Fatal(err)
	}
	if got, err := seal(t, below, key(2)).Secret(ctx, "a"); err != nil || !got.Equal(secret) {
		t.Errorf("once it was put again, without the old key: %v", err)
	}
	for name, keys := range map[string][]integration.Secret{"no key": nil, "a short key": {integration.SecretOf([]byte("x"))}, "an empty key": {{}}} {
		if _, err := vault.NewSealed(below, keys...); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}
