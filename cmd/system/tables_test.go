package system_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// tablesBehind returns the address of a server of tables in front of another. DynamoDB minds no client
// that is killed in the middle of a request; dynalite ends. So it gets whole requests only, and answers all of them.
func tablesBehind(t testing.TB, address string) string {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // whoever asked was killed
		}
		q, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, address+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		q.Header = r.Header.Clone()
		a, err := client.Do(q)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		for name, values := range a.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.StatusCode)
		_, _ = w.Write(text) // an error means that whoever asked was killed
	}))
	t.Cleanup(func() {
		s.Close()
		client.CloseIdleConnections()
	})
	return s.URL
}
