package system_test

import "syscall"

// attributes has a process end with the tests, however those end, and keeps a Ctrl-C from it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
