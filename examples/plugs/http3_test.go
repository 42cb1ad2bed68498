package plugs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/require"
)

// certificates returns TLS settings for a server on loopback and for a client
// that trusts it. httptest brings a certificate; its server is not used.
func certificates(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	https := httptest.NewTLSServer(nil)
	defer https.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(https.Certificate())
	return &tls.Config{Certificates: https.TLS.Certificates}, &tls.Config{RootCAs: trusted}
}

// An http3Server is one that runs on a pool.
type http3Server struct {
	url    string
	client *tls.Config
	ln     *quic.EarlyListener
	cancel context.CancelFunc // ends the ctx of Serve
	wait   func() error       // waits for Serve
}

func serveHTTP3(t *testing.T, plug plugs.HTTP3) *http3Server {
	t.Helper()
	server, client := certificates(t)
	ln, err := quic.ListenAddrEarly("127.0.0.1:0", http3.ConfigureTLSConfig(server), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return &http3Server{
		url:    fmt.Sprintf("https://%s/", ln.Addr()),
		client: client,
		ln:     ln,
		cancel: cancel,
		wait:   start(func() error { return plug.Serve(ctx, ln) }),
	}
}

// dial returns a client that makes a connection of its own.
func (s *http3Server) dial(t *testing.T) *http3.Transport {
	t.Helper()
	transport := &http3.Transport{TLSClientConfig: s.client}
	t.Cleanup(func() { _ = transport.Close() })
	return transport
}

// post sends one request and returns the body of the answer.
func (s *http3Server) post(ctx context.Context, via *http3.Transport, text string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(text))
	if err != nil {
		return "", err
	}
	response, err := via.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// postWith serves each request with answer.
func postWith(answer func(string) string) *http3.Server {
	return &http3.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		text, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, answer(string(text)))
	})}
}

func startHTTP3(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	server := serveHTTP3(t, plugs.HTTP3{Pool: pool, Server: postWith(capitals.answer)})
	conns := connect(func() *http3.Transport { return server.dial(t) })
	ask = func(ctx context.Context, client int, request string) (string, error) {
		return server.post(ctx, conns[client], request)
	}
	return ask, func() {
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
		require.NoError(t, server.ln.Close())
		require.NoError(t, server.wait())
	}
}

func TestHTTP3AnswersTheRequestsUnderWay(t *testing.T) {
	pool, handling, stopped := hemlock.New(), make(chan struct{}), make(chan struct{})
	server := serveHTTP3(t, plugs.HTTP3{Pool: pool, Linger: time.Hour, Server: postWith(func(string) string {
		close(handling)
		<-stopped
		return "late"
	})})
	conn, answer := server.dial(t), ""
	asked := start(func() (err error) {
		answer, err = server.post(withTimeout(t), conn, "request")
		return err
	})
	<-handling

	server.cancel()
	close(stopped)

	require.NoError(t, asked())
	require.Equal(t, "late", answer)
	require.NoError(t, conn.Close())
	require.NoError(t, server.wait())
	requireDrained(t, pool, 1)
}

func TestHTTP3WaitsForTheRequestsUnderWay(t *testing.T) {
	pool, handling, stopped := hemlock.New(), make(chan struct{}), make(chan struct{})
	cutOff := make(chan bool, 1)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		close(handling)
		<-stopped
		select {
		case <-request.Context().Done():
			cutOff <- true
		case <-time.After(50 * time.Millisecond): // ample for a Serve that does not wait
			cutOff <- false
		}
	})
	server := serveHTTP3(t, plugs.HTTP3{Pool: pool, Server: &http3.Server{Handler: handler}})
	conn := server.dial(t)
	asked := start(func() error {
		_, err := server.post(withTimeout(t), conn, "request")
		return err
	})
	<-handling

	server.cancel()
	close(stopped)

	require.NoError(t, server.wait())
	require.False(t, <-cutOff)
	_ = asked() // without a Linger the answer may be lost
	requireDrained(t, pool, 1)
}

func TestHTTP3ClosesTheConnectionOfAClientThatStays(t *testing.T) {
	pool := hemlock.New()
	server := serveHTTP3(t, plugs.HTTP3{Pool: pool, Server: postWith(strings.ToUpper)})
	answer, err := server.post(withTimeout(t), server.dial(t), "request")
	require.NoError(t, err)
	require.Equal(t, "REQUEST", answer)

	server.cancel()

	require.NoError(t, server.wait())
	requireDrained(t, pool, 1)
}
