package osm

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"footway/core/fault"
)

// importBytes imports data and returns the error.
func importBytes(ctx context.Context, data []byte) error {
	_, _, err := Import(ctx, "test", bytes.NewReader(data), int64(len(data)), Options{})
	return err
}

func TestStrangeFiles(t *testing.T) {
	history := town()
	history.features = []string{"OsmSchema-V0.6", "HistoricalInformation"}
	unheard := town()
	unheard.features = []string{"Telepathy"}
	withField := func(field int) []byte { x := town(); x.field = field; return x.encode() }
	headless := town().encode()
	headless = headless[4+binary.BigEndian.Uint32(headless):]
	huge := binary.BigEndian.AppendUint32(nil, 1<<31)
	tests := []struct {
		name   string
		data   []byte
		reason string
		says   string
	}{
		{"empty", nil, reasonBroken, "empty"},
		{"short", []byte{0}, reasonBroken, "ends within"},
		{"XML", []byte("<?xml version='1.0'?><osm></osm>"), reasonBroken, "osmium cat"},
		{"zip", []byte("PK\x03\x04aaaaaaaaaaaaaa"), reasonBroken, "unpack it"},
		{"o5m", []byte("\xff\xe0\x04o5m2aaaaaaaaaaa"), reasonBroken, "o5m"},
		{"huge header", huge, reasonBroken, "want 1 to 65536"},
		{"history", history.encode(), reasonStyle, "time-filter"},
		{"unknown feature", unheard.encode(), reasonStyle, "Telepathy"},
		{"lzma", withField(4), reasonStyle, "lzma"},
		{"lz4", withField(6), reasonStyle, "pbf_compression=zlib"},
		{"zstd", withField(7), reasonStyle, "zstd"},
		{"not zlib", withField(3), reasonBroken, "does not unpack"},
		{"no contents", withField(9), reasonBroken, "without contents"},
		{"no header", headless, reasonBroken, "byte 0"},
	}
	for _, test := range tests {
		err := importBytes(t.Context(), test.data)
		if fault.ReasonOf(err) != test.reason || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "at byte ") {
			t.Errorf("%s: %v; want reason %s, a byte, and %q", test.name, err, test.reason, test.says)
		}
	}
}

// A file that was cut off anywhere gives an error, and never a panic. Between
// two blocks nothing shows that it was cut, but then there is no network.
func TestTruncated(t *testing.T) {
	for _, packed := range []bool{false, true} {
		x := town()
		x.packed, x.relations = packed, []testRelation{{1, []int64{103}, []string{"outer"}, []string{"type", "multipolygon", "natural", "water"}}}
		whole := x.encode()
		last := 0 // where the last block begins: what lies before is a network already
		for at := 0; at < len(whole); {
			last = at
			head := int(binary.BigEndian.Uint32(whole[at:]))
			b, err := (&file{src: bytes.NewReader(whole), size: int64(len(whole))}).frame(int64(at))
			if err != nil {
				t.Fatal(err)
			}
			at += 4 + head + b.size
		}
		for n := range len(whole) {
			if n == last {
				continue
			}
			if err := importBytes(t.Context(), whole[:n]); !fault.Is(err, fault.Invalid) {
				t.Fatalf("packed %v: the first %d of %d bytes: %v, want fault.Invalid", packed, n, len(whole), err)
			}
		}
	}
}

// Damage anywhere gives an error or another map, and never a panic.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := town()
	for range 4_000 {
		data := x.encode()
		for range 1 + r.IntN(3) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		err := importBytes(t.Context(), data)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("damaged extract: %v, want fault.Invalid or none", err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := importBytes(ctx, town().encode()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("import with a cancelled context: %v, want fault.Unavailable", err)
	}
}

func FuzzImport(f *testing.F) {
	plain, packed := town(), crossingTown("raised")
	plain.plain = true
	packed.packed, packed.backwards = true, true
	for _, x := range []extractOf{town(), plain, packed, crossingTown("flush")} {
		f.Add(x.encode())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, _, err := Import(t.Context(), "fuzz", bytes.NewReader(data), int64(len(data)), Options{})
		if err != nil {
			return
		}
		if err := n.Validate(); err != nil {
			t.Fatalf("an invalid network: %v", err)
		}
	})
}
