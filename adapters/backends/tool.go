package backends

import (
	"os/exec"
	"strings"
	"testing"
)

// Browser are the names under which a Chromium may be there.
var Browser = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// Program returns the path of a program that the machine has under one of
// several names. Without it the test is not run; under CI=true it fails.
func Program(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	notRun(tb, "there is no %s: deploy/backends-install installs it", strings.Join(names, ", nor "))
	return ""
}
