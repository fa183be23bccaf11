package runlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"footway/core/clock"
	"footway/core/event"
)

// AppendLine appends the canonical line of e without its line feed: the JSON
// that encoding/json would write, with fields in a fixed order and e.Data as it
// is. The run's hash is over these bytes.
func AppendLine(b []byte, e event.Event) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `,"t":`...)
	b = strconv.AppendInt(b, int64(e.T), 10)
	b = append(b, `,"market":`...)
	b = appendString(b, e.Market)
	b = append(b, `,"kind":`...)
	b = appendString(b, e.Kind)
	b = append(b, `,"entity":`...)
	b = appendString(b, e.Entity)
	b = append(b, `,"version":`...)
	b = strconv.AppendUint(b, e.Version, 10)
	b = append(b, `,"data":`...)
	if len(e.Data) == 0 {
		b = append(b, "null"...)
	} else {
		b = append(b, e.Data...)
	}
	return append(b, '}')
}

// appendString appends s as a JSON string; anything out of the ordinary is
// left to encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if plain := s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' &&
			s[i] != '<' && s[i] != '>' && s[i] != '&'; !plain {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("runlog: a string that JSON cannot write: " + err.Error()) // there is none
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// parser reads canonical lines. It remembers strings, since few are distinct.
type parser struct {
	seen  map[string]string
	again []byte // scratch
}

// maxSeen bounds the memory for strings of a log with many distinct ones.
const maxSeen = 1 << 16

// parse returns the event of a canonical line. Its Data is part of line. Other
// lines that mean the same are refused: an event has one line, and one hash.
func (p *parser) parse(line []byte) (e event.Event, err error) {
	s := scanner{rest: line}
	e.Seq = s.unsigned(`{"seq":`)
	e.T = clock.Time(s.signed(`,"t":`))
	e.Market = p.intern(s.str(`,"market":`))
	e.Kind = p.intern(s.str(`,"kind":`))
	e.Entity = p.intern(s.str(`,"entity":`))
	e.Version = s.unsigned(`,"version":`)
	s.expect(`,"data":`)
	if s.err == nil && (len(s.rest) < 2 || s.rest[len(s.rest)-1] != '}') {
		s.err = fmt.Errorf("no closing brace")
	}
	if s.err != nil {
		return event.Event{}, fmt.Errorf("event line: %w", s.err)
	}
	e.Data = json.RawMessage(s.rest[: len(s.rest)-1 : len(s.rest)-1])
	if !json.Valid(e.Data) {
		return event.Event{}, fmt.Errorf("event line %d: data is not JSON", e.Seq)
	}
	if p.again = AppendLine(p.again[:0], e); !bytes.Equal(p.again, line) {
		return event.Event{}, fmt.Errorf("event line %d: not in the canonical form, such as %.80s", e.Seq, p.again)
	}
	return e, nil
}

func (p *parser) intern(b []byte) string {
	if s, ok := p.seen[string(b)]; ok {
		return s
	}
	if p.seen == nil || len(p.seen) >= maxSeen {
		p.seen = make(map[string]string)
	}
	s := string(b)
	p.seen[s] = s
	return s
}

// scanner takes a canonical line apart from its beginning. After an error it
// returns zeros.
type scanner struct {
	rest []byte
	err  error
}

func (s *scanner) expect(prefix string) {
	if s.err != nil {
		return
	}
	rest, ok := bytes.CutPrefix(s.rest, []byte(prefix))
	if !ok {
		s.err = fmt.Errorf("want %s, have %.20q", prefix, s.rest)
		return
	}
	s.rest = rest
}

// number takes the digits after prefix.
func (s *scanner) number(prefix string) string {
	s.expect(prefix)
	if s.err != nil {
		return "0"
	}
	n := 0
	for n < len(s.rest) && (s.rest[n] == '-' || s.rest[n] >= '0' && s.rest[n] <= '9') {
		n++
	}
	digits := string(s.rest[:n])
	s.rest = s.rest[n:]
	return digits
}

func (s *scanner) unsigned(prefix string) uint64 {
	v, err := strconv.ParseUint(s.number(prefix), 10, 64)
	s.fail(err)
	return v
}

func (s *scanner) signed(prefix string) int64 {
	v, err := strconv.ParseInt(s.number(prefix), 10, 64)
	s.fail(err)
	return v
}

// str takes the JSON string after prefix and returns what it says.
func (s *scanner) str(prefix string) []byte {
	s.expect(prefix + `"`)
	if s.err != nil {
		return nil
	}
	for i := 0; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '"':
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			return text
		case '\\':
			return s.escaped(i)
		}
	}
	s.fail(fmt.Errorf("string without end"))
	return nil
}

// escaped finishes str for a string with a backslash at i.
func (s *scanner) escaped(i int) []byte {
	for ; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			var text string
			s.fail(json.Unmarshal(append([]byte{'"'}, s.rest[:i+1]...), &text))
			s.rest = s.rest[i+1:]
			return []byte(text)
		}
	}
	s.fail(fmt.Errorf("string without end"))
	return nil
}

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
