package configfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"footway/core/fault"
)

// Keep implements config.Keeper: it writes another file in the same folder and, once that
// is on the disk, gives it the name. Only this user may read it.
func (d *Document) Keep(ctx context.Context, text []byte) error {
	const op = "configfile.Keep"
	if err := ctx.Err(); err != nil {
		return fault.New(op, fault.Unavailable, "", "%s: %w", d.path, err)
	}
	if err := replace(d.path, text); err != nil {
		return translate(op, d.path, err)
	}
	return nil
}

func replace(path string, text []byte) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*") // readable by this user only
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreGone(os.Remove(f.Name())))
		}
	}()
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes a rename last through a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// ignoreGone is for a file that already has its name when the folder could not be synced.
func ignoreGone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
