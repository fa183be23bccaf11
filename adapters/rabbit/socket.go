package rabbit

import (
	"context"
	"net"
	"net/url"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// socket is a connection on which nothing waits for ever. The vendor's client
// clears its deadlines once it has logged in, and then writes for as long as
// the broker does not read, which under a memory alarm is until the alarm ends.
type socket struct {
	net.Conn
	read, write time.Duration // how long each may take
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	if err := s.Conn.SetReadDeadline(time.Now().Add(s.read)); err != nil {
		return 0, err
	}
	return s.Conn.Read(p)
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	if err := s.Conn.SetWriteDeadline(time.Now().Add(s.write)); err != nil {
		return 0, err
	}
	return s.Conn.Write(p)
}

// SetDeadline implements net.Conn: a deadline can be set and not cleared.
func (s *socket) SetDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	return s.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn: a deadline can be set and not cleared.
func (s *socket) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	return s.Conn.SetReadDeadline(t)
}

// vendorDialer returns a dialer that makes connections with the vendor's client.
func vendorDialer(o Options) dialer {
	return func(ctx context.Context) (link, error) {
		address, err := withPassword(ctx, o)
		if err != nil {
			return nil, err
		}
		d := dialing{ctx: ctx, read: o.Heartbeat * 5 / 2, write: o.CallTimeout, stop: func() bool { return true }}
		conn, err := amqp.DialConfig(address, amqp.Config{
			Heartbeat: o.Heartbeat, TLSClientConfig: o.TLS.Clone(), Dial: d.dial,
			Properties: amqp.Table{"product": "footway", "connection_name": o.Name},
		})
		if !d.stop() {
			err = context.Cause(ctx)
		}
		if err != nil {
			d.close()
			return nil, err
		}
		return newVendorLink(conn, d.socket), nil
	}
}

// dialing ends a handshake, which knows no context, when its context does.
type dialing struct {
	ctx         context.Context
	read, write time.Duration
	socket      *socket
	stop        func() bool
}

func (d *dialing) dial(network, address string) (net.Conn, error) {
	raw, err := (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.socket = &socket{Conn: raw, read: d.read, write: d.write}
	d.stop = context.AfterFunc(d.ctx, d.close)
	return d.socket, nil
}

func (d *dialing) close() {
	if d.socket != nil {
		_ = d.socket.Close() // it fails if it is closed
	}
}

func passwordIn(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return false
	}
	_, set := u.User.Password()
	return set
}

// withPassword returns the address to dial, which must not be shown to anybody.
func withPassword(ctx context.Context, o Options) (string, error) {
	if o.Password == nil {
		return o.URL, nil
	}
	password, err := o.Password(ctx)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return "", errBadAddress
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String(), nil
}
