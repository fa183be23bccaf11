// Package memory keeps what the core's stores keep in the memory of one
// process: for simulation, tests and demonstrations. It is the reference that
// the conformance suites are written against, and loses everything when the
// process ends, except what was written down with Snapshot.
//
// Its types are safe for concurrent use. Snapshots are canonical JSON: equal
// contents give equal bytes.
package memory
