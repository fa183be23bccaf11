// Package live lets viewers watch a running system over a WebSocket, and is
// the client that does so, natively and in a browser. It passes on the journal's pieces as
// they are and knows nothing of what they say.
//
// GET /v1/live opens the WebSocket, with the subprotocol "footway.live.v1". The caller shows a
// bearer token, or, since a browser cannot set headers, one more subprotocol "ticket." and a ticket that POST
// /v1/live/tickets gave it; a ticket is good once and for a short while. With ?after=SEQ&chain=HASH, the number and
// hash of the last event that it has, it goes on from there, if that is still known; the same process knows for some minutes.
//
// Binary messages are pieces of a run log, as runlog.Stream reads them: behind each other
// they are a log file. The first one, and each that begins with a header, says how things stand.
// Text messages are JSON: {"lost":N} says that N events are missing before the piece that follows, because the
// viewer was too slow; {"beat":T} says every few seconds of silence, with the server's time in milliseconds, that all is
// well. The client sends nothing. The server ends with 1001 when it stops (come back) and with 1008 when the client sent something.
package live

const (
	protocol     = "footway.live.v1"
	ticketPrefix = "ticket."
	path         = "/v1/live"
	ticketPath   = path + "/tickets"
)

// note is a text message.
type note struct {
	Lost uint64 `json:"lost,omitempty"`
	Beat int64  `json:"beat,omitempty"`
}

// ticketAnswer is what POST /v1/live/tickets says.
type ticketAnswer struct {
	Ticket    string `json:"ticket"`
	ExpiresIn int    `json:"expires_in"` // seconds
}
