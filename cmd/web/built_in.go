//go:build twin

package web

import (
	"embed"
	"io/fs"
)

//go:embed built
var built embed.FS

// embedded returns what make twin-wasm built.
func embedded() fs.FS {
	f, err := fs.Sub(built, "built")
	if err != nil {
		return none{}
	}
	return f
}
