// Package backends starts the real PostgreSQL, RabbitMQ and DynamoDB-compatible
// servers that tests, benchmarks and people at a desk work against, kills them
// and disturbs their connections. No service imports it.
//
// A [Server] is one private server: free ports on the loopback address, a
// folder of its own, an ordinary user's rights. It cannot be mistaken for a
// server of the machine, and leaves nothing behind: on Linux its processes end
// with the process that started them, however that ends. Elsewhere a starter
// that is killed outright leaves them running.
//
// The programs are those of the distribution's packages, as deploy/backends-install
// puts them on a machine; where one is missing, [Start] says so with a [MissingError].
package backends
