package runlog

import (
	"bytes"
	"context"
	"testing"

	"footway/core/clock"
	"footway/core/event"
)

// TestKeyframesKeepComing holds a log that is flushed behind every event to as
// many keyframes as one that is never, so that a reader need not go far back.
func TestKeyframesKeepComing(t *testing.T) {
	var keyed [2][]uint64
	for i, flush := range []bool{false, true} {
		var b bytes.Buffer
		l, err := New(&b, Header{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 600 { // ten hours
			l.Append(context.Background(), event.Event{T: clock.Time(n) * clock.Time(clock.Minute), Kind: RobotPose, Entity: "r1"})
			if flush {
				if err := l.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		for _, f := range l.frames {
			if f.keyed() {
				keyed[i] = append(keyed[i], f.FirstSeq)
			}
		}
		if flush != (len(l.frames) == 600) {
			t.Errorf("flushed %v: %d frames", flush, len(l.frames))
		}
	}
	if len(keyed[0]) < 50 || len(keyed[0]) != len(keyed[1]) {
		t.Fatalf("%d keyframes, flushed %d; want the same, one for ten minutes", len(keyed[0]), len(keyed[1]))
	}
	for i := range keyed[0] {
		if keyed[0][i] != keyed[1][i] {
			t.Errorf("keyframe %d is before event %d, flushed %d", i, keyed[0][i], keyed[1][i])
		}
	}
}
