package plugs_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/stretchr/testify/require"
)

// protocols are the two of net/http, without TLS.
var protocols = map[string]func(*http.Protocols){
	"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
	"HTTP/2":   func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
}

// forEachProtocol serves the handler, on a fresh pool with these options, by each
// protocol.
func forEachProtocol(t *testing.T, handler http.Handler, test func(t *testing.T, pool *hemlock.Pool, client *http.Client, url string, errors *lockedBuffer), opts ...hemlock.Option) {
	t.Helper()
	for name, choose := range protocols {
		t.Run(name, func(t *testing.T) {
			pool, ln, logged := hemlock.New(opts...), listen(t), new(lockedBuffer)
			server := &http.Server{
				Handler:   plugs.HTTPHandler(pool, handler),
				Protocols: new(http.Protocols),
				ErrorLog:  log.New(logged, "", 0),
			}
			choose(server.Protocols)
			wait := start(func() error { return server.Serve(ln) })
			transport := &http.Transport{Protocols: server.Protocols}
			test(t, pool, &http.Client{Transport: transport}, "http://"+ln.Addr().String(), logged)
			transport.CloseIdleConnections()
			require.NoError(t, server.Shutdown(withTimeout(t)))
			require.ErrorIs(t, wait(), http.ErrServerClosed)
			require.NoError(t, pool.Shutdown(withTimeout(t)))
			require.Zero(t, pool.Stats().Workers)
			require.Equal(t, pool.Stats().Submitted, pool.Stats().Completed)
		})
	}
}

// A lockedBuffer keeps what a server logs.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The requests run at the same time, and each is one task of Do.
func TestHTTPHandlerRunsEachRequestOnThePool(t *testing.T) {
	var all sync.WaitGroup
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		all.Wait()
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Context().Err() != nil {
			http.Error(w, "no body", http.StatusBadRequest)
			return
		}
		w.Header().Set("Trailer", "X-After")
		_, _ = io.WriteString(w, strings.ToUpper(string(body)))
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-After", "sent")
	})
	forEachProtocol(t, handler, func(t *testing.T, pool *hemlock.Pool, client *http.Client, url string, _ *lockedBuffer) {
		all.Add(requests)
		askAll(t, func(ctx context.Context, _ int, request string) (string, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(request))
			if err != nil {
				return "", err
			}
			response, err := client.Do(r)
			if err != nil {
				return "", err
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if sent := response.Trailer.Get("X-After"); err == nil && sent != "sent" {
				err = fmt.Errorf("trailer %q", sent)
			}
			return string(body), err
		})
		require.EqualValues(t, requests, pool.Stats().Submitted)
	})
}

// The server recovers panics, and logs all but ErrAbortHandler, as without the
// pool. The handler of the pool is told of both.
func TestHTTPHandlerPassesPanicsOn(t *testing.T) {
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("out of cheese")
	})
	told := make(chan any, 10)
	tell := hemlock.WithPanicHandler(func(v any, stack []byte) { told <- v })
	forEachProtocol(t, handler, func(t *testing.T, pool *hemlock.Pool, client *http.Client, url string, logged *lockedBuffer) {
		_, err := client.Post(url+"/abort", "", http.NoBody)
		require.Error(t, err)
		require.Equal(t, http.ErrAbortHandler, <-told)
		require.NotContains(t, logged.String(), "panic")
		_, err = client.Post(url, "", http.NoBody)
		require.Error(t, err)
		require.Equal(t, "out of cheese", <-told)
		require.Eventually(t, func() bool { return strings.Contains(logged.String(), "out of cheese") }, timeout, 10*time.Millisecond)
		require.EqualValues(t, 2, pool.Stats().Panicked)
	}, tell)
}

// A handler may take the connection, in HTTP/1.1.
func TestHTTPHandlerMayHijack(t *testing.T) {
	pool, ln := hemlock.New(), listen(t)
	server := &http.Server{Handler: plugs.HTTPHandler(pool, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		line, _ := buffered.ReadString('\n')
		fmt.Fprint(conn, strings.ToUpper(line))
	}))}
	wait := start(func() error { return server.Serve(ln) })
	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: loopback\r\n\r\nhello\n")
	answer, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HELLO\n", answer)
	require.NoError(t, server.Shutdown(withTimeout(t)))
	require.ErrorIs(t, wait(), http.ErrServerClosed)
	requireDrained(t, pool, 1)
}
