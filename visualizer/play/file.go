package play

import (
	"footway/core/clock"
	"footway/core/event"
	"footway/core/runlog"
)

// File is a log in a file, or in bytes.
type File struct {
	reader *runlog.Reader
	blocks []Block
	last   int // the block that was read last
	events []event.Event
}

var _ Log = (*File)(nil)

// NewFile returns the log that a reader reads.
func NewFile(r *runlog.Reader) *File {
	f := &File{reader: r}
	for _, x := range r.Frames() {
		if x.Count > 0 {
			f.blocks = append(f.blocks, Block{First: x.FirstSeq, Last: x.LastSeq(), From: x.From, To: x.To})
		}
	}
	return f
}

// Header implements Log.
func (f *File) Header() runlog.Header { return f.reader.Header() }

// Blocks implements Log.
func (f *File) Blocks() []Block { return f.blocks }

// Seek implements Log.
func (f *File) Seek(t clock.Time) (*runlog.State, error) { return f.reader.Seek(t) }

// Events implements Log.
func (f *File) Events(block int) ([]event.Event, error) {
	if f.events != nil && f.last == block {
		return f.events, nil
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
	f.last, f.events = block, events
	return events, nil
}
