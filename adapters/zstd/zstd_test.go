package zstd

import (
	"bytes"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	var c Codec
	for _, size := range []int{0, 1, 100, 1 << 16, 3 << 20} {
		src := make([]byte, size)
		for i := range src {
			src[i] = byte(i * i >> 7)
		}
		packed := c.Compress(src)
		if again := new(Codec).Compress(src); !bytes.Equal(packed, again) {
			t.Errorf("%d bytes compress in two ways", size)
		}
		got, err := c.Decompress(packed, size)
		if err != nil || !bytes.Equal(got, src) {
			t.Errorf("%d bytes: came back as %d bytes, error %v", size, len(got), err)
		}
	}
}

func TestLimit(t *testing.T) {
	var c Codec
	packed := c.Compress(make([]byte, 8<<20))
	for _, limit := range []int{0, 1000, 2 << 20} {
		if out, err := c.Decompress(packed, limit); err == nil {
			t.Errorf("limit %d: got %d bytes and no error", limit, len(out))
		}
	}
}

func TestDamaged(t *testing.T) {
	var c Codec
	packed := c.Compress([]byte("a robot waits at the kerb, a robot waits at the kerb"))
	for _, bad := range [][]byte{nil, packed[:len(packed)-3], []byte("no zstd at all")} {
		if out, err := c.Decompress(bad, 1000); err == nil && len(out) > 0 {
			t.Errorf("%d damaged bytes gave %q and no error", len(bad), out)
		}
	}
}
