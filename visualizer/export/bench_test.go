package export_test

import (
	"image"
	"image/color"
	"io"
	"testing"

	"footway/core/clock"
	"footway/visualizer/export"
)

// BenchmarkGIF adds pictures of 60×40 pixels in which little changes.
func BenchmarkGIF(b *testing.B) {
	ground := color.RGBA{18, 22, 29, 255}
	pictures := []*image.RGBA{picture(3, ground), picture(9, ground)}
	for b.Loop() {
		g, err := export.NewGIF(15, pictures...)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 100 {
			if err := g.Add(pictures[i%2]); err != nil {
				b.Fatal(err)
			}
		}
		if err := g.Encode(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTrips and BenchmarkMCAP write half an hour of a city.
func BenchmarkTrips(b *testing.B) {
	run := rush(b)
	from, _ := run.Span()
	for b.Loop() {
		if err := export.Trips(io.Discard, run, export.Span{From: from, To: from.Add(30 * clock.Minute)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMCAP(b *testing.B) {
	run := rush(b)
	from, _ := run.Span()
	for b.Loop() {
		if err := export.MCAP(io.Discard, run, export.Recording{Span: export.Span{From: from, To: from.Add(30 * clock.Minute)}}); err != nil {
			b.Fatal(err)
		}
	}
}
