package system_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// seedOf returns the seed of a test's chance, and says it.
func seedOf(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("FOOTWAY_SYSTEM_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("FOOTWAY_SYSTEM_SEED: %v", err)
		}
	}
	t.Logf("FOOTWAY_SYSTEM_SEED=%d", seed)
	return seed
}

// killer kills processes by chance and starts them again.
type killer struct {
	of     []*process
	rand   *rand.Rand
	every  time.Duration // from one kill to the next, on average
	kills  int
	failed []error
}

// rage kills until ctx ends, and then waits until all that it killed run again.
func (k *killer) rage(ctx context.Context) {
	var mu sync.Mutex
	var restarts sync.WaitGroup
	down := map[*process]bool{}
	for {
		select {
		case <-ctx.Done():
			restarts.Wait()
			return
		case <-time.After(k.every/2 + time.Duration(k.rand.Int64N(int64(k.every)))):
		}
		p, away := k.of[k.rand.IntN(len(k.of))], 100*time.Millisecond+time.Duration(k.rand.Int64N(int64(3*time.Second)))
		mu.Lock()
		skip := down[p]
		down[p] = true
		mu.Unlock()
		if skip {
			continue
		}
		k.kills++
		restarts.Go(func() {
			err := p.kill()
			if err == nil {
				time.Sleep(away) // how long it takes whoever watches it to notice
				err = p.start()
			}
			mu.Lock()
			defer mu.Unlock()
			delete(down, p)
			if err != nil {
				k.failed = append(k.failed, err)
			}
		})
	}
}
