// Package system has no program in it. Its tests run the whole of Footway as it
// runs in production: every service in processes of its own on real databases, tables and a
// broker, simulated robots over their streams, partners over HTTP, webhooks to a receiver.
package system
