package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"footway/adapters/integrations"
	"footway/adapters/recording"
)

const (
	recordBytes = 32 << 20       // of a recording, half of what one may have that is read whole
	recordFor   = 24 * time.Hour // after which another is begun
)

// openRecorder returns what writes down what partners ask, or nil if nothing does.
func (p *process) openRecorder() (*integrations.Recorder, error) {
	folder := p.d.Integrations.Record
	if folder == "" {
		return nil, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("integrations.record: %w", err)
	}
	files := &recordings{folder: folder, replica: strings.NewReplacer("/", "-", ":", "-").Replace(p.Replica)}
	r := integrations.NewRecorder(files.write, recordRoom, p.log)
	p.onClose(func() {
		r.Close()
		if err := files.close(); err != nil {
			p.log.Error("a recording could not be closed", "error", err)
		}
	})
	return r, nil
}

// recordings are the files that requests are written into, one after another. Only
// their owner may read them: requests hold personal data.
type recordings struct {
	folder, replica string
	file            *os.File
	out             *recording.Writer
	began           time.Time
	bytes           int
	number          int
}

// write writes a request. Each goes to the system at once, so that a crash loses none before it.
func (f *recordings) write(e integrations.Recorded) error {
	if f.file != nil && (f.bytes > recordBytes || time.Since(f.began) > recordFor) {
		if err := f.close(); err != nil {
			return err
		}
	}
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	f.bytes += len(e.Body) + len(e.Path)
	return f.out.Write(recording.Request{
		At: e.At, Partner: string(e.Partner), Method: e.Method, Path: e.Path, Headers: e.Headers, Body: e.Body,
	})
}

func (f *recordings) open() error {
	f.began, f.bytes = time.Now(), 0
	f.number++
	name := fmt.Sprintf("%s-%s-%d.jsonl", f.began.UTC().Format("20060102T150405Z"), f.replica, f.number)
	file, err := os.OpenFile(filepath.Join(f.folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.file, f.out = file, recording.NewWriter(file)
	return nil
}

func (f *recordings) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file, f.out = nil, nil
	return err
}
