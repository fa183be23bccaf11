package backends

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func attributes(c command) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: c.account.credential, Pdeathsig: c.orphan}
}

// stragglers returns the processes at work inside dir: those that a killed
// server had started, and that have not noticed yet.
func stragglers(dir string) (pids []int, err error) {
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// Unreadable means that it ended meanwhile or is another user's.
		at, err := os.Readlink("/proc/" + e.Name() + "/cwd")
		if err == nil && (at == dir || strings.HasPrefix(at, dir+"/")) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
