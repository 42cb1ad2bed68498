package target

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"example.com/hemlock"
	hemlockhttp "example.com/hemlock/http"
)

// http1Target is net/http with HTTP/1.1. The server starts a goroutine for each
// connection, which serves one request after the other. Each caller has a connection.
var http1Target = httpTarget("http1", false, (*http.Protocols).SetHTTP1, borrowing)

// http2Target is net/http with HTTP/2 and without TLS. The server starts a goroutine
// for each stream, that is for each request.
var http2Target = httpTarget("http2", true, (*http.Protocols).SetUnencryptedHTTP2, borrowing)

// The same with a limit on the time of each request: TimeoutHandler starts a goroutine
// for each request, and its namesake for a pool calls Run.
var (
	http1TimeoutTarget = httpTarget("http1-timeout", false, (*http.Protocols).SetHTTP1, limited)
	http2TimeoutTarget = httpTarget("http2-timeout", true, (*http.Protocols).SetUnencryptedHTTP2, limited)
)

func borrowing(pool *hemlock.Pool, h http.Handler) http.Handler {
	if pool == nil {
		return h
	}
	return hemlockhttp.Handler(pool, h)
}

func limited(pool *hemlock.Pool, h http.Handler) http.Handler {
	if pool == nil {
		return http.TimeoutHandler(h, time.Minute, "")
	}
	return hemlockhttp.TimeoutHandler(pool, h, time.Minute, "")
}

// httpTarget is net/http with a middleware, which has no pool in the baseline.
func httpTarget(name string, shared bool, choose func(*http.Protocols, bool), middleware func(*hemlock.Pool, http.Handler) http.Handler) Target {
	protocols := new(http.Protocols)
	choose(protocols, true)
	return Target{
		Name:   name,
		Modes:  []string{"go", "do"},
		Shared: shared,
		Within: true,
		Serve: func(way Way, answer func([]byte) []byte) (Endpoint, io.Closer, error) {
			return serveHTTP(protocols, middleware(way.Pool, handler(answer)))
		},
		Dial: func(to Endpoint) (Client, error) {
			return httpClient{&http.Transport{Protocols: protocols}, "http://" + to.Address + "/"}, nil
		},
	}
}

func serveHTTP(protocols *http.Protocols, serve http.Handler) (Endpoint, io.Closer, error) {
	ln, err := net.Listen("tcp", loopback)
	if err != nil {
		return Endpoint{}, nil, err
	}
	server := &http.Server{
		Handler:   serve,
		Protocols: protocols,
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
	go func() { _ = server.Serve(ln) }() // until it is closed
	return Endpoint{Address: ln.Addr().String()}, server, nil
}

// An httpClient asks by POST, over any version of HTTP.
type httpClient struct {
	transport interface {
		http.RoundTripper
		CloseIdleConnections()
	}
	url string
}

// Call implements [Client].
func (c httpClient) Call(ctx context.Context, question []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", response.Status)
	}
	return io.ReadAll(response.Body)
}

// Close implements [Client].
func (c httpClient) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}
