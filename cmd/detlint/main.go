// Command detlint rejects what would make a run of core or sim differ from the
// last one: the order of a map, the wall clock, goroutines, chance without a
// seed, and floating-point arithmetic that differs between machines. It is a
// tool for go vet:
//
//	go build -o bin/detlint ./cmd/detlint
//	go vet -vettool=bin/detlint ./core/... ./sim/...
//
// A finding that is known to be harmless is allowed by a comment with the
// reason on the line above it:
//
//	//detlint:allow the sum of integers is the same in any order
//
// It leaves alone the tests and core/porttest, which may wait and use
// goroutines, and everything outside footway/core and footway/sim.
package main

import "golang.org/x/tools/go/analysis/unitchecker"

func main() { unitchecker.Main(analyzer) }
