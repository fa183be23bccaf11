// Package statements leaves the order to the scheduler.
package statements

import "context"

type pipe chan int

func scheduled(ctx context.Context, a, b <-chan int) {
	go func() {}()     // want `go statement: the scheduler decides the order`
	_ = make(chan int) // want `make of a channel`
	_ = make(pipe, 1)  // want `make of a channel`
	_ = make([]int, 1)
	select { // want `select between several channels picks at random`
	case <-a:
	case <-b:
	default:
	}
	select {
	case <-ctx.Done():
	default:
	}
}

func shadowed(make func(chan int) chan int) { _ = make(nil) }
