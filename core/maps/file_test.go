package maps

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"footway/core/fault"

	gocmp "github.com/google/go-cmp/cmp"
)

// deflate is a Codec of the standard library.
type deflate struct{}

func (deflate) Compress(src []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(src)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (deflate) Decompress(src []byte, limit int) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(src)), int64(limit)+1))
	if err == nil && len(out) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return out, err
}

// sample has something in every section.
func sample(t testing.TB) *Network {
	n := town(t)
	n.Merchants = []Merchant{{Name: "Kettle", Kind: "cafe", Address: 2, Point: at(1, 1)}, {Name: "Stall", Kind: "cafe", Address: -1, Point: at(2, 2), OffMM: 7}}
	n.Backdrop = []Backdrop{
		{Kind: BackdropPark, Closed: true, Name: 1, Points: []Point{at(0, 0), at(9, 0), at(0, 9)}},
		{Kind: BackdropRoad, Rank: StreetTertiary, Points: []Point{at(5, 5), at(-7, 3)}},
	}
	return n
}

func encoded(t testing.TB, n *Network) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, n, deflate{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFileRoundTrip(t *testing.T) {
	for _, n := range []*Network{sample(t), grid(t, 30, 20), randomNetwork(t, 3, 50)} {
		data := encoded(t, n)
		back, err := Decode(iotest.OneByteReader(bytes.NewReader(data)), deflate{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(n, back); diff != "" {
			t.Errorf("%s (-written +read)\n%s", n.Name, diff)
		}
		if !bytes.Equal(data, encoded(t, back)) || n.Hash() != back.Hash() {
			t.Errorf("%s: written again it gives other bytes", n.Name)
		}
		back.Attribution += "!"
		if n.Hash() == back.Hash() {
			t.Errorf("%s: another content has the same hash", n.Name)
		}
	}
}

func TestDecodeRefusesEveryDamage(t *testing.T) {
	data := encoded(t, sample(t))
	for size := range data {
		if _, err := Decode(bytes.NewReader(data[:size]), deflate{}); !fault.Is(err, fault.Invalid) {
			t.Fatalf("cut to %d of %d bytes: %v, want invalid", size, len(data), err)
		}
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x10
		if _, err := Decode(bytes.NewReader(bad), deflate{}); !fault.Is(err, fault.Invalid) {
			t.Fatalf("byte %d changed: %v, want invalid", i, err)
		}
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"longer":      {append(bytes.Clone(data), 0), "behind the last section"},
		"other file":  {[]byte("PK\x03\x04 something else"), "not a network file"},
		"newer":       {append([]byte(magic[:len(magic)-1]), 9), "of version 9"},
		"empty":       {nil, "not a network file"},
		"giant claim": {claim(1, 40), "times as many"},
	} {
		if _, err := Decode(bytes.NewReader(c.data), deflate{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := Decode(iotest.ErrReader(io.ErrClosedPipe), deflate{}); err == nil || fault.Is(err, fault.Invalid) {
		t.Errorf("a reader that fails: %v, want its own error", err)
	}
}

// claim returns a file whose first section says that a few bytes hold very many.
func claim(kind byte, stored int) []byte {
	body := make([]byte, stored)
	head := append([]byte(magic), kind, packCodec)
	head = binary.LittleEndian.AppendUint32(head, maxSection)
	head = binary.LittleEndian.AppendUint32(head, uint32(stored))
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(body, castagnoli))
	return append(head, body...)
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(n *Network)
		want string
	}{
		"edge beyond the nodes":   {func(n *Network) { n.Edges[0].To = 99 }, "joins nodes"},
		"order":                   {func(n *Network) { n.Edges[0], n.Edges[1] = n.Edges[1], n.Edges[0] }, ""},
		"length":                  {func(n *Network) { n.Edges[3].LengthMM = 0 }, "length 0"},
		"reverse":                 {func(n *Network) { n.Edges[3].Reverse = 3 }, "reverse 3"},
		"reverse of another":      {func(n *Network) { n.Edges[0].Reverse = n.Edges[1].Reverse }, "is not its reverse"},
		"name":                    {func(n *Network) { n.Edges[3].Name = 99 }, "name 99"},
		"class":                   {func(n *Network) { n.Edges[3].Class = 99 }, "do not exist"},
		"address off its edge":    {func(n *Network) { n.Addresses[1].At.OffsetMM = 1 << 30 }, "address 1"},
		"merchant's address":      {func(n *Network) { n.Merchants[0].Address = 99 }, "merchant 0"},
		"backdrop's name":         {func(n *Network) { n.Backdrop[0].Name = 99 }, "backdrop 0"},
		"point in space":          {func(n *Network) { n.Nodes[0].Lat = 1_000_000_000 }, "not on Earth"},
		"shape that no edge has":  {func(n *Network) { n.Shape = append(n.Shape, n.Nodes[0]) }, "points of shape"},
		"first name is not empty": {func(n *Network) { n.Names[0] = "x" }, "not empty"},
	} {
		n := sample(t)
		c.edit(n)
		if err := n.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, sample(f)))
	f.Add(encoded(f, grid(f, 2, 2)))
	f.Add(claim(1, 40))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Decode(bytes.NewReader(reseal(data)), deflate{})
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("error %v: want it to be invalid", err)
			}
			return
		}
		x := NewIndex(n)
		NewGeocoder(x)
		r := NewRouter(n, NewMetricSource(NewMetric(n, DefaultProfile(), Live{})), RouterOptions{})
		if route, err := r.Route(Position{}, Position{Edge: EdgeID(len(n.Edges) - 1)}); err == nil {
			n.Steps(route)
		}
		if _, err := Decode(bytes.NewReader(encoded(t, n)), deflate{}); err != nil {
			t.Errorf("what was read cannot be read again: %v", err)
		}
	})
}

// reseal puts right the checksums of a damaged file, so that fuzzing gets past them.
func reseal(data []byte) []byte {
	data = bytes.Clone(data)
	for at := len(magic); at+sectionHead <= len(data); {
		stored := int(binary.LittleEndian.Uint32(data[at+6:]))
		if stored > len(data)-at-sectionHead {
			break
		}
		body := data[at+sectionHead : at+sectionHead+stored]
		binary.LittleEndian.PutUint32(data[at+10:], crc32.Checksum(body, castagnoli))
		at += sectionHead + stored
	}
	return data
}
