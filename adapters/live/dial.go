//go:build !js

package live

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

const canSetHeaders = true

// dial opens a WebSocket with a bearer token.
func dial(ctx context.Context, c *http.Client, address, token string) (*websocket.Conn, error) {
	o := &websocket.DialOptions{HTTPClient: c, Subprotocols: []string{protocol}, HTTPHeader: http.Header{}}
	if token != "" {
		o.HTTPHeader.Set("Authorization", "Bearer "+token)
	}
	conn, resp, err := websocket.Dial(ctx, address, o) //nolint:bodyclose // the library closes it
	switch {
	case err == nil:
		return conn, nil
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, refused(resp.StatusCode)
	}
	return nil, unavailable(err)
}
