// Package vault keeps the secrets of partners and of their endpoints: in a
// folder of files, and sealed before they go into any other store. It does not
// know what they are for.
package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"footway/core/fault"
	"footway/core/integration"
)

// Folder keeps each secret as a file that only its owner may read. Any number of
// processes of one machine may use it at once.
type Folder struct{ path string }

var _ integration.SecretStore = (*Folder)(nil)

// OpenFolder returns the store in a folder, which is made if there is none. One
// that others may look into is refused.
func OpenFolder(path string) (*Folder, error) {
	const op = "vault.OpenFolder"
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, translate(op, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, translate(op, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fault.New(op, fault.Forbidden, "open_folder", "others may look into the folder of secrets (mode %s); want chmod 700", mode)
	}
	return &Folder{path}, nil
}

// maxName bounds names, so that they fit a file's.
const maxName = 150

func (f *Folder) file(name string) (string, error) {
	if name == "" || len(name) > maxName {
		return "", fault.New("vault.Folder", fault.Invalid, "bad_name", "the name of a secret has %d bytes; want 1 to %d", len(name), maxName)
	}
	return filepath.Join(f.path, base64.RawURLEncoding.EncodeToString([]byte(name))), nil
}

// Secret implements integration.SecretStore.
func (f *Folder) Secret(_ context.Context, name string) (integration.Secret, error) {
	const op = "vault.Secret"
	file, err := f.file(name)
	if err != nil {
		return integration.Secret{}, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return integration.Secret{}, translate(op, err)
	}
	return integration.SecretOf(b), nil
}

// PutSecret implements integration.SecretStore.
func (f *Folder) PutSecret(_ context.Context, name string, s integration.Secret) error {
	const op = "vault.PutSecret"
	file, err := f.file(name)
	if err != nil {
		return err
	}
	w, err := os.CreateTemp(f.path, ".new-*") // mode 0600
	if err != nil {
		return translate(op, err)
	}
	_, err = w.Write(s.Bytes())
	err = errors.Join(err, w.Sync(), w.Close())
	if err == nil {
		err = os.Rename(w.Name(), file)
	}
	if err != nil {
		return translate(op, errors.Join(err, os.Remove(w.Name())))
	}
	return f.sync()
}

// DropSecret implements integration.SecretStore.
func (f *Folder) DropSecret(_ context.Context, name string) error {
	file, err := f.file(name)
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return translate("vault.DropSecret", err)
	}
	return f.sync()
}

// sync makes what was renamed or removed outlive a crash of the machine.
func (f *Folder) sync() error {
	d, err := os.Open(f.path)
	if err != nil {
		return translate("vault.sync", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return translate("vault.sync", err)
	}
	return nil
}

// translate gives an error of the file system its kind.
func translate(op string, err error) error {
	kind := fault.Unavailable
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(op, fault.NotFound, "", "there is no such secret")
	case errors.Is(err, fs.ErrPermission):
		kind = fault.Forbidden
	}
	return &fault.Error{Op: op, Kind: kind, Err: fmt.Errorf("the folder of secrets: %w", err)}
}
