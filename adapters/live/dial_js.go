package live

import (
	"context"
	"errors"
	"net/http"

	"github.com/coder/websocket"
)

// A browser opens WebSockets without headers of ours.
const canSetHeaders = false

func dial(context.Context, *http.Client, string, string) (*websocket.Conn, error) {
	return nil, errors.New("live: a browser cannot set headers")
}
