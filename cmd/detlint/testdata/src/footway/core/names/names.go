// Package names uses what reads the machine.
package names

import (
	"context"
	crand "crypto/rand" // want `import of crypto/rand: it draws chance outside the run's seed`
	"database/sql"      // want `import of database/sql: it does I/O`
	old "math/rand"     // want `import of math/rand: it draws chance outside the run's seed`
	"math/rand/v2"
	"net"     // want `import of net: it does I/O`
	"net/url" // want `import of net/url: it does I/O`
	"os"      // want `import of os: it does I/O`
	clock "time"
)

func wallClock() clock.Duration {
	start := clock.Now()          // want `time.Now: it reads the wall clock; use core/clock`
	clock.Sleep(clock.Second)     // want `time.Sleep`
	<-clock.After(clock.Second)   // want `time.After`
	_ = clock.Until(start)        // want `time.Until`
	_ = clock.NewTimer            // want `time.NewTimer`
	_ = clock.NewTicker           // want `time.NewTicker`
	_ = clock.Tick                // want `time.Tick`
	clock.AfterFunc(0, func() {}) // want `time.AfterFunc`
	f := clock.Since              // want `time.Since`
	_ = start.After(start)        // a method of an instant, not the clock
	return f(start) + clock.Second
}

func deadlines(ctx context.Context) {
	_, cancel := context.WithTimeout(ctx, clock.Second) // want `context.WithTimeout: it reads the wall clock`
	cancel()
	_, cancel = context.WithDeadline(ctx, clock.Time{}) // want `context.WithDeadline`
	cancel()
	_, _ = context.WithTimeoutCause(ctx, clock.Second, context.DeadlineExceeded)  // want `context.WithTimeoutCause`
	_, _ = context.WithDeadlineCause(ctx, clock.Time{}, context.DeadlineExceeded) // want `context.WithDeadlineCause`
	context.AfterFunc(ctx, func() {})                                             // want `context.AfterFunc: it starts a goroutine`
	_, cancel = context.WithCancel(ctx)
	cancel()
}

func chance(r *rand.Rand) int {
	_ = rand.New(rand.NewPCG(1, 2))
	rand.Shuffle(2, func(i, j int) {}) // want `math/rand/v2.Shuffle draws from the global generator`
	return rand.IntN(6) + r.IntN(6)    // want `math/rand/v2.IntN draws from the global generator`
}

var (
	_ = crand.Reader
	_ = sql.ErrNoRows
	_ = old.NewSource
	_ net.Addr
	_ url.URL
	_ = os.Args
)
