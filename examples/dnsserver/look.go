package main

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"

	"example.com/hemlock"
	hemlockpage "example.com/hemlock/metrics/page"
)

// A link leads from the index to a page.
type link struct{ Path, Says string }

var (
	//go:embed index.html
	indexMarkup string
	index       = template.Must(template.New("index").Parse(indexMarkup))

	poolLink = link{"/debug/hemlock", "the pool: what it does now, and the last ten minutes"}
	links    = []link{
		{"/debug/statsviz/", "plots of the pool and the runtime, from now on"},
		{"/debug/pprof/", "profiles"},
		{"/debug/vars", "variables, as JSON"},
		{"/metrics", "metrics, for Prometheus"},
		{"/healthz", "whether the process answers"},
	}
)

// addLook adds the page of the pool, if there is one, with a sampler that runs
// until ctx ends, and the index of all pages.
func (m *monitor) addLook(ctx context.Context, mux *http.ServeMux, p *hemlock.Pool, cfg config, hosts []string) error {
	if p == nil {
		mux.Handle("/{$}", newIndex(links))
		return nil
	}
	options := hemlockpage.Defaults()
	options.KillInterval, options.KillDelay, options.PanicHandler = cfg.killInterval, cfg.killDelay, true
	look, err := hemlockpage.Handler(hemlockpage.Pool{Name: poolName, Pool: p, Options: &options})
	if err != nil {
		return err
	}
	look.Allow(hosts...)
	m.serving.Go(func() { look.Sample(ctx) })
	mux.Handle(poolLink.Path, look)
	mux.Handle("/{$}", newIndex(append([]link{poolLink}, links...)))
	return nil
}

func newIndex(list []link) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'")
		_ = index.Execute(w, list)
	})
}
