//go:build unix && !linux

package backends

import "syscall"

func attributes(c command) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: c.account.credential}
}

// stragglers knows of none: only Linux tells where a process is at work.
// Elsewhere those of a killed server end on their own, moments later.
func stragglers(string) ([]int, error) { return nil, nil }
