package play_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"footway/adapters/zstd"
	"footway/core/clock"
	"footway/core/maps"
	"footway/core/rng"
	"footway/core/runlog"
	"footway/sim/city"
	"footway/visualizer/play"
)

// bigDay opens the log that FOOTWAY_BIG_DAY names, which is made by
//
//	footway run testdata/big-day.yaml --out DIR
func bigDay(tb testing.TB) *play.Run {
	path := os.Getenv("FOOTWAY_BIG_DAY")
	if path == "" {
		tb.Skip("FOOTWAY_BIG_DAY is not set: want the run.fwlog that footway run testdata/big-day.yaml --out DIR wrote")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	net, err := city.Generate(rng.Seed(1), city.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return open(tb, text, net)
}

func open(tb testing.TB, text []byte, net *maps.Network) *play.Run {
	tb.Helper()
	reader, err := runlog.Open(bytes.NewReader(text), int64(len(text)), &zstd.Codec{})
	if err != nil {
		tb.Fatal(err)
	}
	run, err := play.Open(play.NewFile(reader), net)
	if err != nil {
		tb.Fatal(err)
	}
	return run
}

func BenchmarkSeek(b *testing.B) {
	run := bigDay(b)
	from, to := run.Span()
	step := to.Sub(from) / 97
	var worst time.Duration
	for i := 0; b.Loop(); i++ {
		t := from.Add(clock.Duration(i*61%97) * step)
		began := time.Now()
		if _, err := run.At(t); err != nil {
			b.Fatal(err)
		}
		worst = max(worst, time.Since(began))
	}
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms/worst")
}

func BenchmarkPlay(b *testing.B) {
	run := bigDay(b)
	from, _ := run.Span()
	t := from.Add(3 * clock.Hour)
	if _, err := run.At(t); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		t = t.Add(clock.Second) // 60 times real time at 60 frames a second
		if t > from.Add(12*clock.Hour) {
			t = from
		}
		if _, err := run.At(t); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	for b.Loop() {
		run := bigDay(b)
		if done, err := run.Scan(1 << 30); err != nil || !done {
			b.Fatal(done, err)
		}
	}
}
