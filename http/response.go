package hemlockhttp

import (
	"bytes"
	"fmt"
	"log"
	"maps"
	"net/http"
	"path"
	"runtime"
	"strings"
	"sync"
)

// A response is the [http.ResponseWriter] of a handler with a timeout. It keeps the
// answer until the handler has returned.
type response struct {
	original http.ResponseWriter // to be used under mu while the handler may run
	request  *http.Request
	header   http.Header // the handler's alone until it has returned

	mu   sync.Mutex // guards all that follows
	err  error      // of Write after the timeout; nil before
	code int        // 0 until it is chosen
	body bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (w *response) Header() http.Header { return w.header }

// Write implements [http.ResponseWriter].
func (w *response) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.body.Write(p)
}

// WriteHeader implements [http.ResponseWriter]. The first one counts.
func (w *response) WriteHeader(code int) {
	if code < 100 || code > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", code))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
	case w.code == 0:
		w.code = code
	default:
		w.logSuperfluous(caller())
	}
}

// Push implements [http.Pusher]. It holds the lock, so that the server does not take
// back its writer meanwhile.
func (w *response) Push(target string, opts *http.PushOptions) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if pusher, ok := w.original.(http.Pusher); ok {
		return pusher.Push(target, opts)
	}
	return http.ErrNotSupported
}

// send sends the answer. The handler has returned, but goroutines that it has left
// behind may still write, which they must not.
func (w *response) send() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.code == 0 {
		w.code = http.StatusOK
	}
	maps.Copy(w.original.Header(), w.header)
	w.original.WriteHeader(w.code)
	_, _ = w.original.Write(w.body.Bytes())
}

// refuse lets every later Write fail.
func (w *response) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

// logSuperfluous says where a handler called WriteHeader once too often, in the words
// of net/http and to the same log.
func (w *response) logSuperfluous(at runtime.Frame) {
	logf := log.Printf
	if server, ok := w.request.Context().Value(http.ServerContextKey).(*http.Server); ok && server.ErrorLog != nil {
		logf = server.ErrorLog.Printf
	}
	logf("http: superfluous response.WriteHeader call from %s (%s:%d)", at.Function, path.Base(at.File), at.Line)
}

// caller returns the place that called [response.WriteHeader], and not a function of
// net/http between, such as http.Error.
func caller() runtime.Frame {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if !more || !strings.HasPrefix(frame.Function, "net/http.") {
			return frame
		}
	}
}
