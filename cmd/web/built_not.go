//go:build !twin

package web

import "io/fs"

// embedded returns nothing: the binary is built without the visualizer.
func embedded() fs.FS { return none{} }
