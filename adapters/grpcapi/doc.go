// Package grpcapi is the gRPC wire: servers over the core's services, clients
// that implement the core's ports so that a caller cannot tell them from a
// function call, and the streams by which robots are connected. It decides
// nothing about deliveries or robots.
package grpcapi

//go:generate ./generate.sh
