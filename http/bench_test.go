package hemlockhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/hemlock"
	hemlockhttp "example.com/hemlock/http"
	"example.com/hemlock/internal/pooltest"
)

// BenchmarkTimeoutHandler compares what starts the handler: net/http's
// TimeoutHandler by itself, the same around Handler, which borrows a stack, and that
// of this package. An operation is a request to a recorder, without a network.
// Compare them within one run, and in turns:
//
//	for round in 1 2 3 4 5 6; do
//		go test -run '^$' -bench '^BenchmarkTimeoutHandler$' ./http
//	done | bin/benchstat -col /by -
func BenchmarkTimeoutHandler(b *testing.B) {
	for _, kib := range []int{0, 8, 32} {
		for _, callers := range []int{1, 64} {
			for _, by := range []struct {
				name string
				wrap func(*hemlock.Pool, http.Handler) http.Handler
			}{
				{"nethttp", func(_ *hemlock.Pool, h http.Handler) http.Handler {
					return http.TimeoutHandler(h, time.Minute, "")
				}},
				{"nethttp+Handler", func(p *hemlock.Pool, h http.Handler) http.Handler {
					return http.TimeoutHandler(hemlockhttp.Handler(p, h), time.Minute, "")
				}},
				{"hemlock", func(p *hemlock.Pool, h http.Handler) http.Handler {
					return hemlockhttp.TimeoutHandler(p, h, time.Minute, "")
				}},
			} {
				b.Run(fmt.Sprintf("stack=%dKiB/callers=%d/by=%s", kib, callers, by.name), func(b *testing.B) {
					h := by.wrap(pooltest.New(b), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						if kib > 0 {
							pooltest.UseStack(kib)
						}
						w.WriteHeader(http.StatusNoContent)
					}))
					benchmarkRequests(b, h, callers)
				})
			}
		}
	}
}

// benchmarkRequests serves requests, from that many callers at a time.
func benchmarkRequests(b *testing.B, h http.Handler, callers int) {
	b.ReportAllocs()
	r := request()
	serve := func() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			b.Error(w.Code)
		}
	}
	if callers == 1 {
		for b.Loop() {
			serve()
		}
		return
	}
	b.SetParallelism(callers)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			serve()
		}
	})
}
