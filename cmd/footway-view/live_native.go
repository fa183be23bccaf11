//go:build !js

package main

import (
	"bytes"
	"context"
	"os"
	"strings"

	"footway/adapters/zstd"
	"footway/core/maps"
	"footway/visualizer/window"
)

// openLive prepares to watch a running system.
func (f *flags) openLive(ctx context.Context, o *window.Options) (closer func(), err error) {
	closer = func() {}
	var token func(context.Context) (string, error)
	if f.token != "" {
		token = func(context.Context) (string, error) { // read anew each time: it may have been renewed
			b, err := os.ReadFile(f.token)
			return strings.TrimSpace(string(b)), err
		}
		if _, err := token(ctx); err != nil {
			return closer, err
		}
	}
	server := strings.TrimSuffix(f.Live, "/")
	ctx, cancel := context.WithCancel(ctx)
	w := watch(ctx, server, token)
	get := func() (*maps.Network, error) {
		if f.Market != "" {
			return loadNetwork(ctx, f.Market)
		}
		b, err := fetch(ctx, server+"/twin/market.fwnet", maxMap)
		if err != nil {
			return nil, err
		}
		return maps.Decode(bytes.NewReader(b), &zstd.Codec{})
	}
	w.onDesk(o, server, get, f.look)
	return cancel, nil
}
