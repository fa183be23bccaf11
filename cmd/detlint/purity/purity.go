// Package purity is the one list of standard packages that core and sim do
// not import, because they reach outside the program, hide chance or differ
// between machines. detlint and the dependency test read it; it knows nothing
// of third parties.
package purity

import "strings"

// Forbidden reports whether core and sim must not import the standard package
// path, and why. What lies below a forbidden package is forbidden with it.
func Forbidden(path string) (why string, bad bool) {
	const (
		inputOutput = "does I/O; put it behind a port and into adapters"
		chance      = "draws chance outside the run's seed; use core/rng"
		machine     = "depends on the machine"
	)
	if path == "math/rand/v2" { // its types are fine, its global generator is not: see detlint
		return "", false
	}
	top, below, _ := strings.Cut(path, "/")
	switch top {
	case "database", "net", "os", "syscall", "plugin", "expvar":
		return inputOutput, true
	case "log":
		return "writes; return events and errors, and log at the edges", true
	case "testing":
		return "is for tests; conformance suites belong in core/porttest", true
	case "runtime", "unsafe":
		return machine, true
	}
	switch {
	case top == "math" && below == "rand", top == "crypto" && below == "rand":
		return chance, true
	case path == "path/filepath":
		return machine + "; use path", true
	case path == "io/ioutil":
		return inputOutput, true
	}
	return "", false
}
