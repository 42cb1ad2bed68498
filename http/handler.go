package hemlockhttp

import (
	"net/http"
	"runtime"
	"runtime/pprof"

	"example.com/hemlock"
)

// Handler returns a handler that serves each request by h, on the stack of a worker
// of the pool, and returns when h has returned; see [hemlock.Pool.Do]. The
// [http.ResponseWriter] and the request are handed on as they are, so h may flush,
// hijack and push. It is a middleware: put it before those that need much stack.
//
// If h panics, so does the returned handler, with the same value, and the panic
// handler of the pool is told before. It is not told of [http.ErrAbortHandler]. If h
// calls [runtime.Goexit], so does the returned handler.
//
// Handler panics if pool is nil or a zero Pool, or if h is nil.
func Handler(pool *hemlock.Pool, h http.Handler) http.Handler {
	check("Handler", pool, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var aborted bool
		pool.Do(func() { aborted = serve(h, w, r) })
		if aborted {
			panic(http.ErrAbortHandler)
		}
	})
}

// serve calls h, and reports whether it panicked with [http.ErrAbortHandler]. Such a
// panic ends here: otherwise Do would tell the pool of it. Every other ending goes on.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (aborted bool) {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch v := recover(); v {
		case http.ErrAbortHandler:
			aborted = true
		case nil: // Goexit, or panic(nil) under GODEBUG=panicnil=1, which recover has ended
			runtime.Goexit()
		default:
			panic(v)
		}
	}()
	pprof.SetGoroutineLabels(r.Context()) // those of the caller do not hold in the task
	h.ServeHTTP(w, r)
	returned = true
	return false
}

func check(function string, pool *hemlock.Pool, h http.Handler) {
	if h == nil {
		panic("hemlockhttp: " + function + " with a nil Handler")
	}
	_ = pool.Stats() // panics if it is nil or a zero Pool
}
