package runlog

import (
	"bytes"
	"hash/crc32"
	"testing"

	"footway/core/clock"
)

// file returns a log of one frame with the given keyframe and lines, whose
// sizes and CRCs are right whatever they say.
func file(t testing.TB, key, lines []byte) []byte {
	t.Helper()
	b, err := appendHeader(nil, Header{})
	if err != nil {
		t.Fatal(err)
	}
	f := Frame{
		Offset: int64(len(b)), FirstSeq: 1, Count: uint64(max(bytes.Count(lines, []byte{'\n'}), 1)), State: hashState(key),
		keyRaw: uint32(len(key)), keyStored: uint32(len(key)), eventsRaw: uint32(len(lines)), eventsStored: uint32(len(lines)),
		crc: crc32.Checksum(append(bytes.Clone(key), lines...), castagnoli),
	}
	b = append(append(f.appendHead(b), key...), lines...)
	return appendIndex(b, []Frame{f}, int64(len(b)))
}

// FuzzBlocks reads frames that are sound on the outside and anything within.
func FuzzBlocks(f *testing.F) {
	const key = `{"seq":0,"t":0,"counts":{}}` + "\n"
	const line = `{"seq":1,"t":5,"market":"m","kind":"robot.leg","entity":"r\"1","version":0,"data":{"robot":"r1"}}` + "\n"
	f.Add([]byte(key), []byte(line))
	f.Add([]byte(key+line), []byte(line))
	f.Add([]byte(`{}`), []byte(`{"seq":1,"t":-9223372036854775808,"market":"\ud800","kind":"","entity":"","version":1,"data":null}`+"\n"))
	f.Fuzz(func(t *testing.T, key, lines []byte) {
		b := file(t, key, lines)
		r, err := Open(bytes.NewReader(b), int64(len(b)), nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.Seek(clock.Time(1))
		if err == nil {
			once, err := s.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			var again State
			if err := again.UnmarshalBinary(once); err != nil {
				t.Fatalf("a state that was written cannot be read: %v\n%s", err, once)
			}
			if twice, err := again.AppendBinary(nil); err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("written twice (%v):\n%s\n%s", err, once, twice)
			}
		}
		for e, err := range r.Events(0) {
			if err != nil {
				break
			}
			var p parser
			back, err := p.parse(AppendLine(nil, e))
			if err != nil || !bytes.Equal(AppendLine(nil, back), AppendLine(nil, e)) {
				t.Fatalf("%+v written and read: %+v, %v", e, back, err)
			}
		}
	})
}
