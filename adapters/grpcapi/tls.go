package grpcapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// TLSFiles name the files of one side's certificate. They are read again when
// they change, so that a certificate is replaced without a restart.
type TLSFiles struct {
	Cert string // PEM, with what lies between it and the authority; a client that shows a token may have none
	Key  string // PEM
	CA   string // PEM, the authorities whose certificates the other side may show
}

// loaded is what files held when they were last read.
type loaded struct {
	certs []tls.Certificate
	roots *x509.CertPool
}

// reloading is TLS with what the files hold at each handshake.
type reloading struct {
	files TLSFiles
	log   *slog.Logger

	mu    sync.Mutex
	stamp [3]fileStamp
	now   *loaded
}

type fileStamp struct {
	at   time.Time
	size int64
}

var _ credentials.TransportCredentials = (*reloading)(nil)

// newReloading reads the files. It fails if they are not in order now.
func newReloading(f TLSFiles, log *slog.Logger) (*reloading, error) {
	r := &reloading{files: f, log: log}
	stamp, err := f.stamps()
	if err != nil {
		return nil, err
	}
	if r.now, err = f.load(); err != nil {
		return nil, err
	}
	r.stamp = stamp
	return r, nil
}

func (f TLSFiles) stamps() (s [3]fileStamp, err error) {
	for i, name := range []string{f.Cert, f.Key, f.CA} {
		if name == "" && i < 2 {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return s, fmt.Errorf("tls: %w", err)
		}
		s[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

func (f TLSFiles) load() (*loaded, error) {
	var l loaded
	if f.Cert != "" {
		cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, fmt.Errorf("tls: %s with %s: %w", f.Cert, f.Key, err)
		}
		l.certs = []tls.Certificate{cert}
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	l.roots = x509.NewCertPool()
	if !l.roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls: %s has no certificate: want PEM", f.CA)
	}
	return &l, nil
}

// current returns what the files hold. While they are out of order, as in the
// middle of a replacement, it is what they held before.
func (r *reloading) current() *loaded {
	r.mu.Lock()
	defer r.mu.Unlock()
	stamp, err := r.files.stamps()
	if err == nil && stamp == r.stamp {
		return r.now
	}
	var next *loaded
	if err == nil {
		next, err = r.files.load()
	}
	if err != nil {
		r.log.Warn("certificate is not replaced", "error", err)
		return r.now
	}
	r.now, r.stamp = next, stamp
	r.log.Info("certificate replaced", "file", r.files.Cert)
	return r.now
}

// ServerHandshake implements credentials.TransportCredentials. A client need
// not show a certificate: who has neither that nor a token is refused call by call.
func (r *reloading) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	l := r.current()
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: l.certs, ClientCAs: l.roots, ClientAuth: tls.VerifyClientCertIfGiven,
	}).ServerHandshake(c)
}

// ClientHandshake implements credentials.TransportCredentials.
func (r *reloading) ClientHandshake(ctx context.Context, authority string, c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	l := r.current()
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: l.certs, RootCAs: l.roots,
	}).ClientHandshake(ctx, authority, c)
}

// Info implements credentials.TransportCredentials.
func (r *reloading) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials.
func (r *reloading) Clone() credentials.TransportCredentials { return r }

// OverrideServerName implements credentials.TransportCredentials. The name that
// a server must show is that of the connection; see DialOptions.
func (r *reloading) OverrideServerName(string) error {
	return errors.New("tls: the server's name is set when dialing")
}
