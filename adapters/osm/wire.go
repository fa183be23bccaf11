package osm

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// value is a field's value: varint for numbers, bytes for everything that has
// a length.
type value struct {
	varint uint64
	bytes  []byte
}

// eachField calls f for each field of message, in order. The bytes are part of
// the message.
func eachField(message []byte, f func(num protowire.Number, v value) error) error {
	whole := len(message)
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("%d bytes in: %w", whole-len(message), protowire.ParseError(n))
		}
		message = message[n:]
		var v value
		switch kind {
		case protowire.VarintType:
			v.varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(message)
			if n >= 0 && v.bytes == nil {
				v.bytes = []byte{}
			}
		default:
			n = protowire.ConsumeFieldValue(num, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("%d bytes in: %w", whole-len(message), protowire.ParseError(n))
		}
		message = message[n:]
		if err := f(num, v); err != nil {
			return err
		}
	}
	return nil
}

var errVarint = errors.New("a list of numbers ends within a number")

// packed walks a list of varints without copying it.
type packed struct {
	rest []byte
	err  error
}

// next returns the next number; false at the end of the list or of its sense.
func (p *packed) next() (uint64, bool) {
	if len(p.rest) == 0 {
		return 0, false
	}
	if b := p.rest[0]; b < 0x80 { // most are deltas of one byte
		p.rest = p.rest[1:]
		return uint64(b), true
	}
	v, n := protowire.ConsumeVarint(p.rest)
	if n < 0 {
		p.err, p.rest = errVarint, nil
		return 0, false
	}
	p.rest = p.rest[n:]
	return v, true
}

// zigzag returns the next number of a list of signed ones.
func (p *packed) zigzag() (int64, bool) {
	v, ok := p.next()
	return protowire.DecodeZigZag(v), ok
}
