package backends

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the ordinary user whose rights a server has. PostgreSQL refuses
// to run as root, and none of the others needs to.
type account struct {
	name       string              // of the user, for people
	credential *syscall.Credential // nil: the user who runs this program
}

// accountOf returns the user for a kind: whoever runs this program, or, if
// that is root, the user of the kind's package.
func accountOf(k Kind) (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "uid " + strconv.Itoa(os.Geteuid())}, nil
	}
	names := map[Kind][]string{Postgres: {"postgres", "nobody"}, RabbitMQ: {"rabbitmq", "nobody"}, DynamoDB: {"nobody"}}[k]
	for _, name := range names {
		u, err := user.Lookup(name)
		if errors.As(err, new(user.UnknownUserError)) {
			continue
		}
		if err != nil {
			return account{}, fmt.Errorf("look up user %s: %w", name, err)
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("user %s: uid %q: want a number", name, u.Uid)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("user %s: gid %q: want a number", name, u.Gid)
		}
		return account{name: name, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return account{}, fmt.Errorf("%s does not run as root, and this machine has none of the users %q", k.Name(), names)
}

// own gives the file or folder to the account.
func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Lchown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// folder makes dir, private to the account, and checks that the account can get there.
func (a account) folder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(dir, 0o700), a.own(dir)); err != nil {
		return err
	}
	if a.credential == nil {
		return nil
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("folder %s is closed to user %s, who runs the server: want one whose parents everybody may pass, such as a new one in /tmp", parent, a.name)
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}

// write makes a file that the account alone can read, unless it is there
// already: a folder that is used again keeps its passwords.
func (a account) write(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close(), os.Chmod(path, 0o400), a.own(path))
}

// adopt copies a tree of programs to where the account can read it: a
// checkout may lie in a folder that is closed to others.
func (a account) adopt(dst, src string) error {
	if err := os.CopyFS(dst, os.DirFS(src)); err != nil {
		return fmt.Errorf("copy %s: %w", src, err)
	}
	return filepath.WalkDir(dst, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return a.own(path)
	})
}
