package backends

import (
	"bytes"
	"os"
)

// tail returns the last lines of a log, for an error.
func tail(log []byte) string {
	const lines, size = 15, 4000
	log = bytes.TrimSpace(log)
	if len(log) > size {
		log = log[len(log)-size:]
	}
	all := bytes.Split(log, []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

func tailOf(path string) string {
	log, err := os.ReadFile(path)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	if len(bytes.TrimSpace(log)) == 0 {
		return "(its log " + path + " is empty)"
	}
	return tail(log)
}
