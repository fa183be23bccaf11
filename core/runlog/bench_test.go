package runlog_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"footway/core/clock"
	"footway/core/kpi/kpitest"
	"footway/core/runlog"
)

func BenchmarkAppend(b *testing.B) {
	events := kpitest.Day{Seed: 1, Robots: 200, Orders: 5000, Over: 12 * clock.Hour}.Events()
	bytes := 0
	for _, e := range events {
		bytes += len(runlog.AppendLine(nil, e)) + 1
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		l, err := runlog.New(io.Discard, header, runlog.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range events {
			l.Append(context.Background(), e)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkEvents(b *testing.B) {
	events := kpitest.Day{Seed: 1, Robots: 200, Orders: 5000, Over: 12 * clock.Hour}.Events()
	file, _ := write(b, events, runlog.Options{})
	r := open(b, file, nil)
	for b.Loop() {
		n := 0
		for _, err := range r.Events(0) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != len(events) {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkSeek(b *testing.B) {
	events := kpitest.Day{Seed: 1, Robots: 200, Orders: 5000, Over: 12 * clock.Hour}.Events()
	file, _ := write(b, events, runlog.Options{})
	r, err := runlog.Open(bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		b.Fatal(err)
	}
	from, to := r.Span()
	i := clock.Time(0)
	for b.Loop() {
		i++
		if _, err := r.Seek(from + (to-from)*(i%97)/97); err != nil {
			b.Fatal(err)
		}
	}
}
