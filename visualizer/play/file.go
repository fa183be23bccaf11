package play

import (
	"sort"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/runlog"
)

// File is a log in a file, or in bytes.
type File struct {
	reader *runlog.Reader
	blocks []Block
	frames []int // of each block
	read   [2]stretch
}

// stretch is a block that was read.
type stretch struct {
	block  int
	events []event.Event // nil: none was
}

var _ Log = (*File)(nil)

// NewFile returns the log that a reader reads.
func NewFile(r *runlog.Reader) *File {
	f := &File{reader: r}
	for i, x := range r.Frames() {
		if x.Count > 0 {
			f.blocks = append(f.blocks, Block{First: x.FirstSeq, Last: x.LastSeq(), From: x.From, To: x.To})
			f.frames = append(f.frames, i)
		}
	}
	return f
}

// Header implements Log.
func (f *File) Header() runlog.Header { return f.reader.Header() }

// Blocks implements Log.
func (f *File) Blocks() []Block { return f.blocks }

// Seek implements Log. It leaves the events that it reads for whoever goes on from there.
func (f *File) Seek(t clock.Time) (*runlog.State, error) {
	i := max(0, sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].From > t })-1)
	for i > 0 && f.blocks[i-1].To > t {
		i-- // a clock that was set back: some of an earlier block lies behind t
	}
	for ; i >= 0 && i < len(f.blocks); i-- {
		s, err := f.reader.Keyframe(f.frames[i])
		if err != nil {
			return nil, err
		}
		if s != nil {
			return s, f.forward(s, i, t)
		}
	}
	return f.reader.Seek(t) // its keyframe is one of a frame without events
}

// forward folds the events from a block on into s, as long as they are not after t.
func (f *File) forward(s *runlog.State, block int, t clock.Time) error {
	for ; block < len(f.blocks) && f.blocks[block].From <= t; block++ {
		events, err := f.Events(block)
		if err != nil {
			return err
		}
		for i := range events {
			if events[i].T > t {
				return nil
			}
			if err := s.Apply(events[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Events implements Log.
func (f *File) Events(block int) ([]event.Event, error) {
	for i := range f.read {
		if x := f.read[i]; x.events != nil && x.block == block {
			f.read[0], f.read[i] = x, f.read[0]
			return x.events, nil
		}
	}
	b := f.blocks[block]
	events := make([]event.Event, 0, b.Last-b.First+1)
	for e, err := range f.reader.Events(b.First) {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
		if e.Seq == b.Last {
			break
		}
	}
	f.read[1], f.read[0] = f.read[0], stretch{block, events}
	return events, nil
}
