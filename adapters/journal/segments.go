package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"footway/core/event"
	"footway/core/fault"
	"footway/core/runlog"
)

// Extension is that of a segment's file, which is named by the journal, when it was
// begun, and the number of the last event before it.
const (
	Extension   = ".fwlog"
	stampLayout = "20060102T150405.000Z" // sorts by time
)

// segments writes one file after the other. Only one goroutine calls it, but for
// stats and failure.
type segments struct {
	o      Options
	header runlog.Header

	current *runlog.Log // nil: there is none
	file    *os.File
	after   uint64 // number of the last event before it
	written int64
	began   time.Time
	flushed time.Time
	missing Gap // what is in no segment

	mu    sync.Mutex
	told  Stats
	broke error // why there is no segment
}

// Write counts what goes into the file.
func (s *segments) Write(b []byte) (int, error) {
	n, err := s.file.Write(b)
	s.written += int64(n)
	return n, err
}

// last makes the folder and returns the snapshot at the end of the newest segment of
// this journal that can be read; nil if there is none.
func (s *segments) last() ([]byte, error) {
	if err := os.MkdirAll(s.o.Dir, 0o750); err != nil {
		return nil, translate("make the folder", err)
	}
	names, err := filepath.Glob(filepath.Join(escape(s.o.Dir), s.o.Name+"-[0-9]*"+Extension))
	if err != nil {
		return nil, translate("list segments", err)
	}
	for i := len(names) - 1; i >= 0; i-- { // Glob sorts
		if !s.own(names[i]) {
			continue
		}
		snapshot, err := s.snapshot(names[i])
		if err == nil {
			return snapshot, nil
		}
		s.o.Log.Warn("the journal does not go on from this segment, since it cannot be read", "file", names[i], "error", err)
	}
	return nil, nil
}

// own reports whether a file that begins with the name is of this journal and not of
// one whose name is longer.
func (s *segments) own(path string) bool {
	rest := strings.TrimPrefix(filepath.Base(path), s.o.Name+"-")
	stamp, _, _ := strings.Cut(rest, "-")
	_, err := time.Parse(stampLayout, stamp)
	return err == nil
}

// escape takes the meaning from what is special in a pattern.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func (s *segments) snapshot(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	r, err := runlog.Open(f, info.Size(), s.o.Codec)
	if err != nil {
		return nil, err
	}
	return r.Snapshot()
}

// open begins a segment where the hub is.
func (s *segments) open(h *hub) error {
	seq, snapshot, err := h.snapshot()
	if err != nil {
		return fmt.Errorf("journal: begin a segment: %w", err)
	}
	now := time.Now()
	path := filepath.Join(s.o.Dir, fmt.Sprintf("%s-%s-%d%s", s.o.Name, now.UTC().Format(stampLayout), seq, Extension))
	if s.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640); err != nil {
		return translate("begin a segment", err)
	}
	s.after, s.written, s.began, s.flushed = seq, 0, now, now
	s.current, err = runlog.Restore(s, s.header, runlog.Options{Codec: s.o.Codec}, snapshot)
	if err == nil {
		err = syncDir(s.o.Dir)
	}
	if err != nil {
		err = errors.Join(err, s.file.Close())
		s.current, s.file = nil, nil
		return translate("begin a segment", err)
	}
	s.tell(func(t *Stats) { t.Segment, t.Flushed = path, now })
	return nil
}

// append writes events, or counts them where there is no segment.
func (s *segments) append(events []event.Event) {
	for i := range events {
		if s.current == nil {
			s.lose(events[i:])
			return
		}
		s.current.Append(context.Background(), events[i])
		if err := s.current.Err(); err != nil {
			s.fail(err)
		}
	}
}

func (s *segments) lose(events []event.Event) {
	for _, e := range events {
		s.missing = s.missing.with(e)
	}
	s.tell(func(t *Stats) { t.Unwritten += uint64(len(events)) })
}

// full reports whether it is time for the next segment.
func (s *segments) full() bool { return s.current != nil && s.written >= s.o.MaxBytes }

// empty reports whether there is no event in the segment yet.
func (s *segments) empty() bool { return s.current.Seq() == s.after }

// flush makes all events so far safe on the disk.
func (s *segments) flush() {
	err := s.current.Flush()
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		s.fail(err)
		return
	}
	s.flushed = time.Now()
	s.tell(func(t *Stats) { t.Flushed = s.flushed })
}

// end closes the segment, if there is one. An empty one is of no use to anybody.
func (s *segments) end() {
	if s.current == nil {
		return
	}
	err := errors.Join(s.current.Close(), s.file.Sync(), s.file.Close())
	if err == nil && s.empty() {
		err = os.Remove(s.file.Name())
	}
	if err != nil {
		s.file = nil
		s.fail(err)
		return
	}
	s.current, s.file = nil, nil
	s.tell(func(t *Stats) { t.Segment, t.Flushed = "", time.Now() })
}

// fail gives the segment up; what it has is readable up to its last whole frame.
func (s *segments) fail(err error) {
	s.o.Log.Error("the journal cannot write; it tries again", "error", err, "in", s.o.Retry)
	if s.file != nil {
		_ = s.file.Close() // it failed already
	}
	s.current, s.file = nil, nil
	s.tell(func(t *Stats) {
		t.Segment = ""
		t.Failures++
		s.broke = translate("write a segment", err)
	})
}

// retain deletes segments that are older than is kept, by when they were last written.
func (s *segments) retain() {
	entries, err := os.ReadDir(s.o.Dir)
	if err != nil {
		s.o.Log.Warn("old segments cannot be listed", "error", err)
		return
	}
	before := time.Now().Add(-s.o.Keep)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || filepath.Ext(e.Name()) != Extension || !info.ModTime().Before(before) {
			continue // what is gone meanwhile another process deleted
		}
		if err := os.Remove(filepath.Join(s.o.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.o.Log.Warn("an old segment cannot be deleted", "error", err)
		}
	}
}

func (s *segments) tell(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.told)
	if s.told.Segment != "" {
		s.broke = nil
	}
}

func (s *segments) stats(into *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	into.Unwritten, into.Failures, into.Segment, into.Flushed = s.told.Unwritten, s.told.Failures, s.told.Segment, s.told.Flushed
}

// failure returns why there is no segment, or nil.
func (s *segments) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broke
}

// syncDir makes a new file's name outlive a crash of the machine.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// translate gives an error of the file system its kind.
func translate(doing string, err error) error {
	kind := fault.Unavailable
	if errors.Is(err, fs.ErrPermission) {
		kind = fault.Forbidden
	}
	return &fault.Error{Op: "journal", Kind: kind, Reason: "disk", Err: fmt.Errorf("%s: %w", doing, err)}
}
