// Package configfile keeps the configuration in files, and looks from time to time
// for a new version of it, wherever it is kept. What the text means is for others.
package configfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"footway/core/config"
	"footway/core/fault"
)

// settle is how long a file must have been left alone before its text counts. Half of
// a YAML file is often a good one, with fewer settings, so a parser cannot tell that somebody
// writes in place. Files that are replaced by a rename are whole at any time, and only wait.
const settle = 200 * time.Millisecond

// Document is a file. It may be replaced by a rename, which is best, or be
// written in place. A link is followed each time, so that mounted
// configurations, which are replaced by turning a link, are seen.
type Document struct {
	path   string
	settle time.Duration
}

var _ config.Keeper = (*Document)(nil)

// New returns the file at a path. It need not be there yet.
func New(path string) *Document { return &Document{path: path, settle: settle} }

// Name implements config.Document with the path.
func (d *Document) Name() string { return d.path }

// Fetch implements config.Document. The tag is a hash of the text.
func (d *Document) Fetch(ctx context.Context, tag string) (text []byte, newTag string, err error) {
	const op = "configfile.Fetch"
	for before := (snapshot{}); ; {
		if err := ctx.Err(); err != nil {
			return nil, "", fault.New(op, fault.Unavailable, "", "%s: %w", d.path, err)
		}
		now, err := d.read()
		if err != nil {
			return nil, "", translate(op, d.path, err)
		}
		switch {
		case now.tag == tag:
			return nil, tag, nil
		case now.same(before) || time.Since(now.written) >= d.settle:
			return now.text, now.tag, nil
		}
		before = now
		select {
		case <-time.After(d.settle):
		case <-ctx.Done():
			return nil, "", fault.New(op, fault.Unavailable, "being_written",
				"%s: it was changed less than %v ago, and may be half written: %w", d.path, d.settle, ctx.Err())
		}
	}
}

// snapshot is what a file was at some time.
type snapshot struct {
	text    []byte
	tag     string
	written time.Time
}

// same reports whether nothing happened to the file between b and a.
func (a snapshot) same(b snapshot) bool { return a.tag == b.tag && a.written.Equal(b.written) }

var (
	errNoFile = errors.New("this is no file; want the path of a text file")
	errFolder = errors.New("this is a folder; want the path of a file in it")
	errLarge  = fmt.Errorf("more than %d KiB; want at most that", config.MaxBytes>>10)
)

// read reads the file. It looks at the time of the last write after it has
// read the text: a write in between makes the file look fresh.
func (d *Document) read() (snapshot, error) {
	f, err := os.OpenFile(d.path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe must not wait for a writer
	if err != nil {
		return snapshot{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return snapshot{}, err
	case info.IsDir():
		return snapshot{}, errFolder
	case !info.Mode().IsRegular():
		return snapshot{}, errNoFile
	}
	text, err := io.ReadAll(io.LimitReader(f, config.MaxBytes+1))
	if err != nil {
		return snapshot{}, err
	}
	if len(text) > config.MaxBytes {
		return snapshot{}, errLarge
	}
	if info, err = f.Stat(); err != nil {
		return snapshot{}, err
	}
	sum := sha256.Sum256(text)
	return snapshot{text: text, tag: "sha256:" + hex.EncodeToString(sum[:]), written: info.ModTime()}, nil
}

// translate gives an error of the file system its kind, and says what would be right.
func translate(op, path string, err error) error {
	kind, hint := fault.Unavailable, err
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind, hint = fault.NotFound, errors.New("there is no such file")
		if folder := filepath.Dir(path); !isFolder(folder) {
			hint = fmt.Errorf("there is no such file, and no folder %s", folder)
		}
	case errors.Is(err, syscall.ENOTDIR):
		kind, hint = fault.NotFound, fmt.Errorf("%s is no folder", filepath.Dir(path))
	case errors.Is(err, fs.ErrPermission):
		kind, hint = fault.Forbidden, fmt.Errorf("this process (user %d, group %d) has no permission for it or a folder above it", os.Getuid(), os.Getgid())
	case errors.Is(err, errFolder), errors.Is(err, errNoFile), errors.Is(err, errLarge):
		kind = fault.Invalid
	default:
		if e, ok := errors.AsType[syscall.Errno](err); ok {
			hint = e // without the path, which is said already, and names of temporary files, which would make each error another
		}
	}
	return &fault.Error{Op: op, Kind: kind, Err: fmt.Errorf("%s: %w", path, hint)}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
