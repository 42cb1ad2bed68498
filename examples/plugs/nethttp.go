package plugs

import (
	"net/http"

	"example.com/hemlock"
)

// HTTPHandler returns a handler that serves each request by next, on the stack of
// a worker of the pool. net/http says go for each connection, and HTTP/2 for each
// stream, in (*Server).Serve of net/http/server.go and (*serverConn).runHandler;
// no option hands it a pool, so the handler borrows a stack.
//
// It pays for HTTP/2 and deep handlers. The goroutine of an HTTP/1.1 connection
// serves one request after the other, and has grown its stack already.
//
// Panics go on to the server, which logs them, or to a middleware around this one;
// [http.ErrAbortHandler] aborts the answer as usual.
func HTTPHandler(pool *hemlock.Pool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pool.Do(func() { next.ServeHTTP(w, r) })
	})
}
