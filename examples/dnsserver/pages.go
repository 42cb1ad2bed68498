package main

import (
	"context"
	_ "embed"
	"expvar"
	"html/template"
	"io"
	"net/http"
	"net/http/pprof"

	"example.com/hemlock"
	hemlockpage "example.com/hemlock/metrics/page"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/arl/statsviz"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// poolName tells the pool from others in the metrics.
const poolName = "dns"

var (
	//go:embed index.html
	indexMarkup string
	index       = template.Must(template.New("index").Parse(indexMarkup))
)

// newPublicPages returns what scrapers and probes ask for. For a runner without a pool
// the metrics show the process alone.
func newPublicPages(p *hemlock.Pool, dropped prometheus.Collector) (*http.ServeMux, error) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), dropped)
	if p != nil {
		if err := hemlockprom.Register(reg, poolName, p); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux() // the default one has what any package put there
	mux.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	// An answer shows that the process has a processor to spare. A scrape says no more,
	// and takes seconds under load.
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	return mux, nil
}

// newDebugPages adds pages that tell more about the process than others should know.
func (m *monitor) newDebugPages(p *hemlock.Pool, cfg config, public http.Handler) (http.Handler, error) {
	plots, err := statsviz.NewServer()
	if err != nil {
		return nil, err
	}
	m.closers = append(m.closers, func() { _ = plots.Close() })
	mux := http.NewServeMux()
	mux.Handle("/metrics", public)
	mux.Handle("/healthz", public)
	mux.Handle("/debug/statsviz/", plots.Index())
	mux.HandleFunc("/debug/statsviz/ws", plots.Ws())
	mux.Handle("/debug/vars", expvar.Handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'")
		_ = index.Execute(w, p)
	})
	if p == nil {
		return mux, nil
	}
	options := hemlockpage.Defaults()
	options.KillInterval, options.KillDelay, options.PanicHandler = cfg.killInterval, cfg.killDelay, true
	look, err := hemlockpage.Handler(hemlockpage.Pool{Name: poolName, Pool: p, Options: &options})
	if err != nil {
		return nil, err
	}
	look.Allow(hostOf(cfg.http))
	sampling, end := context.WithCancel(context.Background())
	m.closers = append(m.closers, end)
	m.serving.Go(func() { look.Sample(sampling) })
	mux.Handle("/debug/hemlock", look)
	return mux, nil
}
