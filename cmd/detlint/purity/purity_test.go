package purity_test

import (
	"testing"

	"footway/cmd/detlint/purity"
)

func TestForbidden(t *testing.T) {
	for _, path := range []string{
		"os", "os/exec", "net", "net/http", "net/url", "database/sql", "database/sql/driver", "syscall",
		"log", "log/slog", "testing", "testing/fstest", "runtime", "runtime/debug", "unsafe", "plugin",
		"expvar", "math/rand", "crypto/rand", "path/filepath", "io/ioutil",
	} {
		if why, bad := purity.Forbidden(path); !bad || why == "" {
			t.Errorf("Forbidden(%q) = %q, %v, want a reason", path, why, bad)
		}
	}
	for _, path := range []string{
		"bytes", "cmp", "context", "crypto/sha256", "encoding/json", "errors", "fmt", "hash/fnv", "io", "io/fs",
		"iter", "maps", "math", "math/bits", "math/rand/v2", "path", "slices", "sort", "strings", "time",
	} {
		if why, bad := purity.Forbidden(path); bad {
			t.Errorf("Forbidden(%q) = %q, want it allowed", path, why)
		}
	}
}
