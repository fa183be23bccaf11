package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"

	"footway/core/fault"
)

const (
	maxBytes = 64 << 10 // of a secret: keys and certificates are far below
	minBytes = 4        // shorter ones are parts of ordinary words, and could not be kept out of logs
)

// Resolver reads what references refer to. It is safe for concurrent use.
type Resolver struct {
	ring *Ring
	log  *slog.Logger
	told sync.Map // paths of files that were warned of
}

// NewResolver returns a resolver that adds each secret it reads to ring, before anybody can log it, and
// warns log of files that everybody on the machine may read.
func NewResolver(ring *Ring, log *slog.Logger) *Resolver { return &Resolver{ring: ring, log: log} }

// Resolve returns the secret as it is now: files are read each time, so that a new
// secret takes effect without a restart. One trailing line break does not count. Errors name the reference and
// never the secret: fault.NotFound if there is none, fault.Forbidden if this process may not read it,
// fault.Invalid if it is empty, too short, too long or no text. A file that every user may read is only warned of, once,
// since containers get their secrets like this; one that every user may write is refused.
func (r *Resolver) Resolve(ref Reference) (Value, error) {
	text, err := r.read(ref)
	if err != nil {
		return Value{}, fmt.Errorf("secret %s: %w", ref, err)
	}
	v := Of(text)
	r.ring.Add(v)
	return v, nil
}

func (r *Resolver) read(ref Reference) (string, error) {
	const op = "secret.Resolve"
	var text string
	switch ref.kind {
	case inEnvironment:
		value, set := os.LookupEnv(ref.at)
		if !set {
			return "", fault.New(op, fault.NotFound, "", "the variable is not set")
		}
		text = value
	case inFile:
		raw, err := r.readFile(ref.at)
		if err != nil {
			return "", translate(op, err)
		}
		text = string(raw)
	default:
		return "", fault.New(op, fault.Invalid, "bad_reference", "it refers to nothing; want env:NAME or file:/path")
	}
	if line, ended := strings.CutSuffix(text, "\n"); ended {
		text = strings.TrimSuffix(line, "\r")
	}
	switch {
	case text == "":
		return "", fault.New(op, fault.Invalid, "empty_secret", "it is empty")
	case len(text) < minBytes:
		return "", fault.New(op, fault.Invalid, "short_secret", "it has fewer than %d bytes, too few to be told from other text in logs; want a longer one", minBytes)
	case len(text) > maxBytes:
		return "", fault.New(op, fault.Invalid, "long_secret", "it has more than %d KiB; want at most that", maxBytes>>10)
	case strings.ContainsRune(text, 0):
		return "", fault.New(op, fault.Invalid, "bad_secret", "there is a zero byte in it; want text")
	}
	return text, nil
}

var (
	errNoFile   = errors.New("this is no file; want the path of a text file")
	errWritable = errors.New("every user of the machine may write it; want chmod o-w")
)

// readFile reads a secret's file, with one byte more than a secret and its line break can have.
func (r *Resolver) readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe must not wait for a writer
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const otherReads, otherWrites = 0o004, 0o002
	mode := info.Mode()
	switch {
	case !mode.IsRegular():
		return nil, errNoFile
	case mode.Perm()&otherWrites != 0:
		return nil, errWritable
	}
	if mode.Perm()&otherReads != 0 {
		if _, before := r.told.LoadOrStore(path, true); !before {
			r.log.Warn("every user of the machine may read this secret; chmod o= takes that away", "file", path, "mode", mode.Perm().String())
		}
	}
	return io.ReadAll(io.LimitReader(f, maxBytes+3))
}

// translate gives an error of the file system its kind. The path is said already.
func translate(op string, err error) error {
	kind, cause := fault.Unavailable, err
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		kind, cause = fault.NotFound, errors.New("there is no such file")
	case errors.Is(err, fs.ErrPermission):
		kind, cause = fault.Forbidden, fmt.Errorf("this process (user %d, group %d) has no permission for it or a folder above it", os.Getuid(), os.Getgid())
	case errors.Is(err, errNoFile):
		kind = fault.Invalid
	case errors.Is(err, errWritable):
		kind = fault.Forbidden
	default:
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			cause = errno
		}
	}
	return &fault.Error{Op: op, Kind: kind, Err: cause}
}
