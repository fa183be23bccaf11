package restapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server serves one API: slow callers are cut off, and it stops without cutting
// off anybody else.
type Server struct {
	api  *API
	http *http.Server
}

// NewServer returns a server of an API.
func NewServer(a *API) *Server {
	h := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // streams and long polls set their own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.o.Log.Handler(), slog.LevelWarn),
	}
	h.RegisterOnShutdown(a.Drain)
	return &Server{a, h}
}

// HTTP returns the server within, for what is set before Serve, such as TLSConfig.
func (s *Server) HTTP() *http.Server { return s.http }

// Serve answers what comes to l until Shutdown. With a TLSConfig it speaks TLS.
func (s *Server) Serve(l net.Listener) error {
	var err error
	if s.http.TLSConfig != nil {
		err = s.http.ServeTLS(l, "", "")
	} else {
		err = s.http.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", l.Addr(), err)
}

// Shutdown takes no new requests, ends streams and long polls, and returns when
// the others are answered. When ctx ends before, it cuts them off and returns its error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.api.Drain()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("shut down: %w", err), s.http.Close())
	}
	return nil
}
