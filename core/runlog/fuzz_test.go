package runlog_test

import (
	"bytes"
	"testing"

	"footway/core/event"
	"footway/core/runlog"
)

// FuzzRead reads whatever it is given: it may refuse it, but not crash, and what
// Verify accepts must be written back to the same hash.
func FuzzRead(f *testing.F) {
	const tail = 100 // bytes cut off, as by a crash
	events := day()
	for _, codec := range []runlog.Codec{nil, deflate{}} {
		b, _ := write(f, events[:4], runlog.Options{Codec: codec})
		f.Add(b)
		f.Add(b[:len(b)-tail])
	}
	empty, _ := write(f, nil, runlog.Options{})
	f.Add(empty)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := runlog.Open(bytes.NewReader(b), int64(len(b)), deflate{})
		if err != nil {
			return
		}
		var all []event.Event
		for e, err := range r.Events(0) {
			if err != nil {
				break
			}
			all = append(all, e)
		}
		from, to := r.Span()
		if _, err := r.Seek(from + (to-from)/2); err != nil {
			return
		}
		if r.Verify() != nil || r.Header().After != 0 {
			return
		}
		if _, hash := write(t, all, runlog.Options{}); hash != r.Hash() {
			t.Errorf("%d events: hash %s, written back %s", len(all), r.Hash(), hash)
		}
	})
}
