package hemlockhttp

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"runtime/pprof"
	"time"

	"example.com/hemlock"
)

// defaultMessage is what the client reads after a timeout if nothing else was given.
const defaultMessage = "<!DOCTYPE html><title>Timeout</title><h1>Timeout</h1>"

// TimeoutHandler returns a handler that serves each request by h, in a task of the
// pool, and waits for it for dt at most. It is [http.TimeoutHandler] on workers
// whose stacks have already grown.
//
// What h writes is kept in memory, and is sent with status, header and body when h
// has returned. The context of the request that h gets ends after dt, or when that
// of the original request does. If it ends before h has returned, the client gets
// 503 Service Unavailable: after dt with msg as its body, or a short page if msg is
// empty; otherwise, when the client has hung up for instance, with no body. From
// then on the Write of h returns [http.ErrHandlerTimeout] or the error of the
// context, and whatever h does has no effect on the answer. It goes on until it
// returns: nothing stops it, and the pool counts its task as running.
//
// The returned handler blocks until h has returned or the context has ended, and
// while the answer is written. It waits for no other request. Once
// [hemlock.Pool.Shutdown] was called it runs h on an ordinary goroutine.
//
// If h panics, the returned handler panics with the same value,
// [http.ErrAbortHandler] included, and what h wrote is not sent. The panic handler
// of the pool is not told. If h calls [runtime.Goexit], so does the returned handler.
// After the timeout both have no effect.
//
// The [http.ResponseWriter] of h is an [http.Pusher] if the original one is, and
// otherwise returns [http.ErrNotSupported]. It is no [http.Flusher] and no
// [http.Hijacker]. A second WriteHeader is logged to the ErrorLog of the server.
//
// TimeoutHandler panics if pool is nil or a zero Pool, or if h is nil.
func TimeoutHandler(pool *hemlock.Pool, h http.Handler, dt time.Duration, msg string) http.Handler {
	check("TimeoutHandler", pool, h)
	if msg == "" {
		msg = defaultMessage
	}
	return &timeoutHandler{pool: pool, handler: h, limit: dt, message: msg}
}

type timeoutHandler struct {
	pool    *hemlock.Pool
	handler http.Handler
	limit   time.Duration
	message string
}

// An ending is how a handler ended. If it neither returned nor panicked it called
// Goexit; under GODEBUG=panicnil=1 a panic(nil) counts as that.
type ending struct {
	returned bool
	panicked any
}

// ServeHTTP implements [http.Handler].
func (t *timeoutHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), t.limit)
	defer cancel()
	r = r.WithContext(ctx)
	kept := &response{original: w, request: r, header: make(http.Header)}
	ended := make(chan ending, 1) // not received after the timeout
	t.pool.Run(func() { t.run(kept, r, ended) })
	select {
	case e := <-ended:
		e.repeat()
		kept.send()
	case <-ctx.Done():
		t.giveUp(w, kept, ctx.Err())
	}
}

// run is the task: it calls the handler. A panic ends here, and is raised again in the
// goroutine of the server. In the task it would end the process, or the worker.
func (t *timeoutHandler) run(w *response, r *http.Request, ended chan<- ending) {
	var e ending
	defer func() {
		if !e.returned {
			e.panicked = recover()
		}
		ended <- e
	}()
	pprof.SetGoroutineLabels(r.Context()) // a go statement would have inherited them
	t.handler.ServeHTTP(w, r)
	e.returned = true
}

// repeat ends the goroutine of the server as the handler ended its task, unless the
// handler returned.
func (e ending) repeat() {
	switch {
	case e.returned:
	case e.panicked != nil:
		panic(e.panicked)
	default:
		runtime.Goexit()
	}
}

// giveUp answers without the handler, because the context ended with err.
func (t *timeoutHandler) giveUp(w http.ResponseWriter, kept *response, err error) {
	if err != context.DeadlineExceeded {
		kept.refuse(err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	kept.refuse(http.ErrHandlerTimeout)
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, t.message)
}
