// Package citymap is the map on the pages: a module for browsers (assets/map.js) that shows the tiles
// of package tiles, and on them a way, its ends and a robot that moves smoothly. It brings
// MapLibre GL JS with it (assets/vendor, version 5.24.1, see its LICENSE.txt), so that
// nothing comes from elsewhere.
package citymap

import (
	"embed"
	"io/fs"

	"footway/adapters/pages/kit"
)

//go:embed assets
var assets embed.FS

// New returns the files of the map, to be served under a path such as /map. Pages import map.js.
func New(under string) (*kit.Assets, error) {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	return kit.NewAssets(under, files)
}
