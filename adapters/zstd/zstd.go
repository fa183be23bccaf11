// Package zstd compresses blocks with Zstandard, one thread, no goroutines
// left behind. It knows nothing of what the blocks hold.
package zstd

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"footway/core/maps"
)

// Codec compresses blocks. The same block gives the same bytes with the same
// version of the library. The zero value is ready; it is safe for concurrent use.
type Codec struct {
	mu      sync.Mutex
	encoder *zstd.Encoder
}

var _ maps.Codec = (*Codec)(nil)

// minDecoderMemory is the least memory that the library's decoder can be limited to.
const minDecoderMemory = 1 << 20

// Compress implements maps.Codec.
func (c *Codec) Compress(src []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.encoder == nil {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
		if err != nil {
			panic("zstd: options that cannot be wrong are: " + err.Error())
		}
		c.encoder = e
	}
	return c.encoder.EncodeAll(src, nil)
}

// Decompress implements maps.Codec.
func (c *Codec) Decompress(src []byte, limit int) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max(limit, minDecoderMemory))))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	defer d.Close()
	out, err := d.DecodeAll(src, nil)
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	if len(out) > limit {
		return nil, fmt.Errorf("zstd: %d bytes: want at most %d", len(out), limit)
	}
	return out, nil
}
