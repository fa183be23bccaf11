package orders

import (
	"testing"
	"time"
)

// Tests may do what the code may not.
func TestFree(t *testing.T) {
	for range time.Tick(time.Second) {
		go func() {}()
	}
}
