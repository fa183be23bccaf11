package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"footway/core/delivery"
)

// Cursors remembers how far feeds were read.
type Cursors struct {
	mu     sync.Mutex
	values map[string]string
}

var _ delivery.Cursors = (*Cursors)(nil)

// NewCursors returns an empty Cursors.
func NewCursors() *Cursors { return &Cursors{values: map[string]string{}} }

// Cursor implements delivery.Cursors.
func (c *Cursors) Cursor(_ context.Context, name string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[name], nil
}

// SaveCursor implements delivery.Cursors.
func (c *Cursors) SaveCursor(_ context.Context, name, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[name] = value
	return nil
}

// Snapshot returns all cursors, sorted by name.
func (c *Cursors) Snapshot() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.Marshal(c.values)
}

// Restore replaces all cursors by what Snapshot returned.
func (c *Cursors) Restore(b []byte) error {
	values := map[string]string{}
	if err := json.Unmarshal(b, &values); err != nil {
		return fmt.Errorf("restore cursors: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values = values
	return nil
}
