package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"footway/adapters/s3"
	"footway/core/config"
	"footway/core/fault"
)

// refuses answers each request with an error as S3 writes it.
func refuses(status int, code string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("x-amz-request-id", fmt.Sprint(time.Now().UnixNano()))
		w.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>planted words</Message><RequestId>%d</RequestId></Error>`, code, time.Now().UnixNano())
		}
	}
}

// TestAnswers tells what each refusal of a store means. Its words are the same each
// time, though every answer has a number of its own, and hold no key.
func TestAnswers(t *testing.T) {
	const region = "X-Amz-Bucket-Region"
	tests := []struct {
		name     string
		handler  http.HandlerFunc
		kind     fault.Kind
		want     string
		attempts int32
	}{
		{"no object", refuses(404, "NoSuchKey"), fault.NotFound, "there is no such object in the bucket; want the key of one", 1},
		{"no bucket", refuses(404, "NoSuchBucket"), fault.NotFound, "there is no such bucket; want the name of one", 1},
		{"not found", refuses(404, ""), fault.NotFound, "the store answers 404 Not Found", 1},
		{"not allowed", refuses(403, "AccessDenied"), fault.Forbidden, "not allowed (AccessDenied); want the permission s3:GetObject, and s3:ListBucket", 1},
		{"key unknown", refuses(403, "InvalidAccessKeyId"), fault.Forbidden, "does not take the credentials (InvalidAccessKeyId); want others", 1},
		{"key wrong", refuses(403, "SignatureDoesNotMatch"), fault.Forbidden, "does not take the credentials (SignatureDoesNotMatch)", 1},
		{"clock", refuses(403, "RequestTimeTooSkewed"), fault.Forbidden, "the clock of this machine is wrong by more than 15 minutes", 0},
		{"forbidden", refuses(403, "Whatever"), fault.Forbidden, "the store answers 403 Forbidden (Whatever)", 1},
		{"redirect", refuses(301, "PermanentRedirect", region, "eu-north-1"), fault.Invalid, "the bucket is in region eu-north-1, and was asked for in us-west-2; want region eu-north-1", 1},
		{"redirect elsewhere", refuses(301, "PermanentRedirect", "Location", "http://127.0.0.1:1/"), fault.Invalid, "the bucket is in another region or behind another endpoint than us-west-2 (PermanentRedirect); want its own", 1},
		{"signed for another region", refuses(400, "AuthorizationHeaderMalformed", region, "eu-north-1"), fault.Invalid, "want region eu-north-1", 1},
		{"archived", refuses(400, "InvalidObjectState"), fault.Invalid, "the store answers 400 Bad Request (InvalidObjectState)", 1},
		{"slow down", refuses(503, "SlowDown"), fault.Exhausted, "the store asks for fewer requests (SlowDown)", 3},
		{"too many", refuses(429, ""), fault.Exhausted, "the store asks for fewer requests (TooManyRequests)", 1},
		{"broken", refuses(500, "InternalError"), fault.Unavailable, "the store answers 500 Internal Server Error (InternalError)", 3},
		{"gateway", refuses(502, ""), fault.Unavailable, "the store answers 502 Bad Gateway", 3},
		{"not asked for 304", refuses(304, ""), fault.Invalid, "the store answers 304 Not Modified", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			d := answered(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); tt.handler(w, r) }, s3.Options{})
			text, tag, err := d.Fetch(t.Context(), "")
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), "s3.Fetch: s3://bucket/key: ") || !strings.Contains(err.Error(), tt.want) || text != nil || tag != "" {
				t.Fatalf("Fetch = %q, %q, %v\nwant %v: %s", text, tag, err, tt.kind, tt.want)
			}
			if n := asked.Load(); n != tt.attempts && tt.attempts != 0 {
				t.Errorf("asked %d times, want %d", n, tt.attempts)
			}
			if _, _, again := d.Fetch(t.Context(), ""); fmt.Sprint(again) != err.Error() {
				t.Errorf("the same error is told in other words:\n%v\n%v", err, again)
			}
			if strings.Contains(err.Error(), "planted") || strings.Contains(err.Error(), "AKID") {
				t.Errorf("the error %v repeats what the store or the keys say", err)
			}
		})
	}
}

// TestRepeats wants an answer in spite of one that failed.
func TestRepeats(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"slow down": refuses(503, "SlowDown"), "broken": refuses(500, "InternalError"), "reset": reset, "silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			d := answered(t, func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) == 1 {
					bad(w, r)
					return
				}
				w.Header().Set("ETag", `"abc"`)
				_, _ = w.Write([]byte("version: 1"))
			}, s3.Options{Attempt: 300 * time.Millisecond})
			if text, _, err := d.Fetch(t.Context(), ""); string(text) != "version: 1" || err != nil {
				t.Errorf("Fetch = %q, %v; want the second answer", text, err)
			}
		})
	}
}

// reset ends the connection without an answer.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // with RST
	}
	_ = conn.Close()
}

// raw sends bytes as they are, and then either ends the connection or waits.
func raw(bytes string, wait bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, bytes)
		if wait {
			_, _ = conn.Read(make([]byte, 1)) // until the client gives up
		}
		_ = conn.Close()
	}
}

func TestConnections(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nETag: \"abc\"\r\n"
	large := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"abc"`)
		piece := []byte(strings.Repeat("#", 64<<10))
		for sent := 0; sent <= config.MaxBytes; sent += len(piece) {
			_, _ = w.Write(piece)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done() // there would be more
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		kind    fault.Kind
		want    string
		is      error
	}{
		{"reset", reset, fault.Unavailable, "", nil},
		{"silence", raw("", true), fault.Unavailable, "no whole answer in 4s, or 200ms for one attempt", context.DeadlineExceeded},
		{"slow body", raw(head+"Content-Length: 100\r\n\r\nversion: 1\n", true), fault.Unavailable, "no whole answer in 4s, or 200ms for one attempt", context.DeadlineExceeded},
		{"truncated body", raw(head+"Content-Length: 100\r\n\r\nversion: 1\n", false), fault.Unavailable, "the answer broke off", io.ErrUnexpectedEOF},
		{"truncated pieces", raw(head+"Transfer-Encoding: chunked\r\n\r\n64\r\nversion: 1\n", false), fault.Unavailable, "the answer broke off", io.ErrUnexpectedEOF},
		{"huge by its word", raw(head+"Content-Length: 99999999999\r\n\r\nv", true), fault.Invalid, "the object has more than 1024 KiB; want at most that", nil},
		{"huge without a word", large, fault.Invalid, "the object has more than 1024 KiB; want at most that", nil},
		{"no HTTP", raw("SSH-2.0-OpenSSH_9.2\r\n", false), fault.Unavailable, "malformed HTTP", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := s3.Options{Timeout: time.Minute, Attempt: time.Minute} // a busy machine is slow
			if errors.Is(tt.is, context.DeadlineExceeded) {
				o = s3.Options{Timeout: 4 * time.Second, Attempt: 200 * time.Millisecond}
			}
			d := answered(t, tt.handler, o)
			began := time.Now()
			text, tag, err := d.Fetch(t.Context(), "")
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || text != nil || tag != "" || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatalf("Fetch = %.40q, %q, %v\nwant %v: %s", text, tag, err, tt.kind, tt.want)
			}
			if took := time.Since(began); took > 2*o.Timeout {
				t.Errorf("Fetch took %v, want at most its %v", took, o.Timeout)
			}
			if _, _, again := d.Fetch(t.Context(), ""); fmt.Sprint(again) != err.Error() {
				t.Errorf("the same error is told in other words:\n%v\n%v", err, again)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := s3.Open(t.Context(), s3.Options{Bucket: "bucket", Key: "key", Region: "us-west-2", Endpoint: "http://" + address, PathStyle: true, Credentials: keys})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = d.Fetch(t.Context(), "")
	if want := "s3.Fetch: s3://bucket/key: dial " + address + ": connect: connection refused"; !fault.Is(err, fault.Unavailable) || err.Error() != want {
		t.Errorf("Fetch = %v\nwant %s", err, want)
	}
}

// TestLimits wants each limit to hold alone: that of an attempt for a body that does not end, that of the whole for all.
func TestLimits(t *testing.T) {
	body := raw("HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nContent-Length: 100\r\n\r\nversion: 1\n", true)
	for name, o := range map[string]s3.Options{
		"attempt": {Timeout: time.Minute, Attempt: 100 * time.Millisecond}, "whole": {Timeout: 100 * time.Millisecond, Attempt: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if _, _, err := answered(t, body, o).Fetch(ctx, ""); !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
				t.Errorf("Fetch = %v, and the caller's context %v; want fault.Unavailable long before its end", err, ctx.Err())
			}
		})
	}
}

// TestCallersDeadline wants the shorter of two deadlines to hold.
func TestCallersDeadline(t *testing.T) {
	d := answered(t, raw("", true), s3.Options{Timeout: time.Minute, Attempt: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, _, err := d.Fetch(ctx, ""); !fault.Is(err, fault.Unavailable) || time.Since(began) > 5*time.Second {
		t.Errorf("Fetch = %v after %v, want fault.Unavailable at the caller's deadline", err, time.Since(began))
	}
}
