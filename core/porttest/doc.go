// Package porttest has a conformance suite for each port of the core: every
// sentence of the port's contract is a case, and every adapter runs it. It is
// test code that adapters share, not a place for tests of the core itself.
package porttest
