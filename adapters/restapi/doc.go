// Package restapi is the REST wire: the APIs of Deliveries and of Dispatch,
// and clients that implement the core's ports so that a caller cannot tell them from a
// function call. The contract is in openapi/*.yaml, written first; tests check
// every request and answer against it. The package decides nothing about
// deliveries or robots.
package restapi
