package memory

import (
	"encoding/json"
	"fmt"
	"sync"

	"footway/core/delivery"
)

// IDs gives out names by counting: d1, d2, … for deliveries. Names are unique as
// long as all that they name lives in this process.
type IDs struct {
	mu   sync.Mutex
	last map[string]uint64 // by kind
}

var _ delivery.IDs = (*IDs)(nil)

// NewIDs returns a counter that has given out nothing.
func NewIDs() *IDs { return &IDs{last: map[string]uint64{}} }

// NewID implements delivery.IDs: the first letter of kind and a number.
func (i *IDs) NewID(kind string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last[kind]++
	return fmt.Sprintf("%.1s%d", kind, i.last[kind])
}

// Snapshot writes the counters down.
func (i *IDs) Snapshot() ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return json.Marshal(i.last)
}

// Restore replaces the counters by those that Snapshot wrote down.
func (i *IDs) Restore(snapshot []byte) error {
	last := map[string]uint64{}
	if err := json.Unmarshal(snapshot, &last); err != nil {
		return fmt.Errorf("ids: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last = last
	return nil
}
