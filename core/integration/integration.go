// Package integration owns what partners are told: for each partner one log of
// updates, each once, those of one delivery in their order. Webhooks and partners
// that ask read it. It does not own deliveries, and it does not call partners.
package integration

import (
	"context"

	"footway/core/clock"
	"footway/core/delivery"
)

// Entry is one line of a partner's log.
type Entry struct {
	// Position counts the lines of the partner's log, from 1, without gaps.
	Position uint64 `json:"position"`
	delivery.Update
}

// Gap is a delivery of which later updates have arrived than its partner may read.
type Gap struct {
	Delivery delivery.ID        `json:"delivery"`
	Partner  delivery.PartnerID `json:"partner"`
	Missing  uint64             `json:"missing"` // sequence of the update that all others wait for
	Next     uint64             `json:"next"`    // lowest sequence that waits: those from Missing up to it have not arrived
	Held     int                `json:"held"`    // how many wait
	Since    clock.Time         `json:"since"`   // when the first of them was taken
}

// Log keeps the logs of all partners. An update is named by its delivery and
// sequence. All methods may be called by many processes at once.
type Log interface {
	// Take records updates, all or none; they have passed delivery.Update.Check. Each is recorded
	// once however often it is taken. An update enters its partner's log once all earlier ones of
	// its delivery have, and is held until then; what enters in one call does so in the order given, as far as
	// that allows. It fails with fault.Conflict if an update of that name with another content is
	// recorded, or if the delivery is another partner's: the recorded one stays. Such a call never succeeds; the same updates
	// one by one tell which is to blame. After any other error the caller may try again:
	// fault.Unavailable leaves open whether the write happened.
	Take(ctx context.Context, u ...delivery.Update) error
	// Entries returns the entries of a partner's log above the position after, in order, at most
	// limit, and fewer only if there are no more. No entry ever appears at or below a position
	// that was returned before. If the first is not at after+1, those between were trimmed.
	Entries(ctx context.Context, p delivery.PartnerID, after uint64, limit int) ([]Entry, error)
	// Gaps returns the deliveries that have held updates, those waiting longest first, then by id, at most limit.
	Gaps(ctx context.Context, limit int) ([]Gap, error)
	// Trim forgets, and returns how many entries it forgot: of each partner's log all before the
	// first that happened at t or later, and deliveries of which neither an entry nor a held update
	// is left. Positions go on where they were. A duplicate of a forgotten update is still
	// known as one, unless its delivery is forgotten. It may be called again after any error.
	Trim(ctx context.Context, t clock.Time) (int, error)
}

// LogReader reads logs from their end, for people.
type LogReader interface {
	// Newest returns entries of a partner's log, or those of one business of it only, below a position,
	// 0 for no bound, the newest first, at most limit, and fewer only if there are no more.
	Newest(ctx context.Context, o Owner, below uint64, limit int) ([]Entry, error)
}
