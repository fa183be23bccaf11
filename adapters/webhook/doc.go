// Package webhook calls the endpoints of partners: signed, bounded in time and
// size, and only where partners may send us. What is to be told, when again and
// in which order the core decides.
package webhook
