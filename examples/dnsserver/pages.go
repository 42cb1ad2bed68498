package main

import (
	"bufio"
	"context"
	"expvar"
	"io"
	"net"
	"net/http"
	"net/http/pprof"

	"example.com/hemlock"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/arl/statsviz"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// poolName tells the pool from others in the metrics.
const poolName = "dns"

// newPublicPages returns what scrapers and probes ask for. For a runner without a pool
// the metrics show the process alone.
func newPublicPages(p *hemlock.Pool, l *limit) (*http.ServeMux, error) {
	metrics, err := newMetrics(p, l)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux() // the default one has what any package put there
	mux.Handle("/metrics", metrics)
	// An answer shows that the process has a processor to spare. A scrape says no more,
	// and takes seconds under load.
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	return mux, nil
}

// newDebugPages returns the same, and pages that tell more about the process than
// others should know. Its plots take samples until they are closed.
func newDebugPages(p *hemlock.Pool, l *limit) (*http.ServeMux, *statsviz.Server, error) {
	mux, err := newPublicPages(p, l)
	if err != nil {
		return nil, nil, err
	}
	plots, err := newPlots(p)
	if err != nil {
		return nil, nil, err
	}
	mux.Handle("/debug/vars", newVars(p))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/statsviz/", plots.Index())
	mux.Handle("/debug/statsviz/ws", closeTaken(plots.Ws()))
	return mux, plots, nil
}

func newMetrics(p *hemlock.Pool, l *limit) (http.Handler, error) {
	reg := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(), l.dropped} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	if p != nil {
		if err := hemlockprom.Register(reg, poolName, p); err != nil {
			return nil, err
		}
	}
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{}), nil
}

// newVars serves the published variables and the pool's counts. The counts are not
// published too: a name can be published only once in the life of a process, and no
// tests could start two servers then.
func newVars(p *hemlock.Pool) http.Handler {
	vars := new(expvar.Map)
	expvar.Do(func(v expvar.KeyValue) { vars.Set(v.Key, v.Value) })
	if p != nil {
		vars.Set("pool", expvar.Func(func() any { return p.Stats() }))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, vars.String())
	})
}

// closeTaken closes the connection that the handler takes over once the client has gone
// or the request's context has ended. The handler of the plots never closes it and
// never reads from it, so each page that was left would cost a file descriptor.
func closeTaken(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		taker := &taker{ResponseWriter: w}
		h.ServeHTTP(taker, r)
		if taker.conn == nil {
			return
		}
		defer taker.conn.Close()
		unblock := context.AfterFunc(r.Context(), func() { _ = taker.conn.Close() })
		defer unblock()
		_, _ = io.Copy(io.Discard, taker.conn)
	})
}

// A taker remembers the connection that a handler takes over.
type taker struct {
	http.ResponseWriter
	conn net.Conn // nil until then
}

func (t *taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(t.ResponseWriter).Hijack()
	t.conn = conn
	return conn, buffered, err
}
