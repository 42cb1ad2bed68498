package hemlockhttp_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
)

func TestMain(m *testing.M) { pooltest.Main(m, nil) }

// A served is a handler served over a real connection.
type served struct {
	pool   *hemlock.Pool
	client *http.Client
	url    string
	logged *pooltest.Log // what the server logs
	close  func()        // may be called early; returns when all requests have ended
}

// everyProtocol serves what wrap makes of a fresh pool, over each protocol, and
// checks at the end that no goroutine of the package is left.
func everyProtocol(t *testing.T, wrap func(*hemlock.Pool) http.Handler, test func(t *testing.T, s served), options ...hemlock.Option) {
	t.Helper()
	for name, start := range map[string]func(*httptest.Server){
		"HTTP/1.1":       (*httptest.Server).Start,
		"HTTP/1.1, TLS":  (*httptest.Server).StartTLS,
		"HTTP/2.0, TLS":  func(server *httptest.Server) { server.EnableHTTP2 = true; server.StartTLS() },
		"HTTP/2.0, bare": startBareHTTP2,
	} {
		t.Run(name, func(t *testing.T) {
			pool := pooltest.New(t, options...)
			logged := new(pooltest.Log)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(name, r.Proto) {
					http.Error(w, r.Proto, http.StatusHTTPVersionNotSupported)
					return
				}
				wrap(pool).ServeHTTP(w, r)
			}))
			server.Config.ErrorLog = log.New(logged, "", 0)
			start(server)
			t.Cleanup(server.Close)
			test(t, served{pool, server.Client(), server.URL, logged, server.Close})
			server.Close()
			pooltest.Shutdown(t, pool)
			pooltest.Eventually(t, func() bool {
				return len(pooltest.StacksOf("example.com/hemlock/http.")) == 0
			}, "every goroutine of the package ends")
		})
	}
}

// startBareHTTP2 starts a server of HTTP/2 without TLS.
func startBareHTTP2(server *httptest.Server) {
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	server.Client().Transport.(*http.Transport).Protocols = server.Config.Protocols
}

// ask returns the error of a request. It posts, since the client sends a GET again
// that the server aborts.
func (s served) ask() error {
	answer, err := s.client.Post(s.url, "", http.NoBody)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.ReadAll(answer.Body)
	return err
}
