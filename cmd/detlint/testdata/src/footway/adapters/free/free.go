// Package free is outside core and sim: nothing is reported.
package free

import (
	"os"
	"time"
)

func all(m map[string]float64, x, y float64) float64 {
	go time.Sleep(time.Since(time.Now()))
	for range make(chan int) {
		for _, v := range m {
			return x*y + v
		}
	}
	os.Exit(1)
	return 0
}
