package web

import (
	"io/fs"
	"time"
)

// zeroTime is no time of a change: tags say whether files changed.
var zeroTime time.Time

// none has no files.
type none struct{}

func (none) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
