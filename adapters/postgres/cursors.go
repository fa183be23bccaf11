package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"footway/core/delivery"
)

// Cursors remembers how far feeds were read, in the database Deliveries. It is
// safe for concurrent use.
type Cursors struct {
	db *DB
}

var _ delivery.Cursors = (*Cursors)(nil)

// NewCursors returns the cursors that db holds.
func NewCursors(db *DB) *Cursors { return &Cursors{db} }

// Cursor implements delivery.Cursors.
func (c *Cursors) Cursor(ctx context.Context, name string) (string, error) {
	ctx, cancel := c.db.call(ctx)
	defer cancel()
	var value string
	err := c.db.pool.QueryRow(ctx, `SELECT value FROM cursors WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return value, translate("postgres.Cursor", err)
}

// SaveCursor implements delivery.Cursors.
func (c *Cursors) SaveCursor(ctx context.Context, name, value string) error {
	_, err := c.db.exec(ctx, "postgres.SaveCursor", `INSERT INTO cursors (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, saved_at = excluded.saved_at`, name, value)
	return err
}
