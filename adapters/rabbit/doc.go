// Package rabbit carries delivery updates from the outbox of Deliveries to
// Integrations over RabbitMQ: a topic exchange, a quorum queue, and a second
// queue for what nobody can take. It promises at least once, and leaves it to
// the receiver to tell what comes twice and to put in order what does not come so.
//
// A [Broker] says where the broker is and what it holds. [Publisher] writes,
// [Consumer] reads, [DeadLetters] is for the people who look after what was
// given up. The vendor's client is behind the interfaces in link.go: no call of it
// outlives its context, because the socket is ours to close.
package rabbit
