package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/hemlock"
	"github.com/arl/statsviz"
)

const (
	headerTimeout   = 5 * time.Second // for the header of a request to arrive
	keepAliveTime   = time.Minute     // for the next request on a connection to begin
	loopbackAddress = "127.0.0.1"
)

// A monitor shows the server to people and to scrapers, over HTTP on addresses
// of its own. A nil monitor is one that is off.
type monitor struct {
	// Immutable after openMonitor.
	sites    []site
	plots    *statsviz.Server   // nil without debug pages
	endPages context.CancelFunc // ends what would not end by itself
	log      *slog.Logger

	serving sync.WaitGroup
}

// A site is what a monitor serves on one address.
type site struct {
	flag     string // that gave the address
	listener net.Listener
	server   *http.Server
}

// openMonitor listens on the addresses that are not empty, or returns nil if both
// are. Nothing is answered before start.
func openMonitor(cfg config, r runner, l *limit, log *slog.Logger) (*monitor, error) {
	if cfg.http == "" && cfg.metrics == "" {
		return nil, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &monitor{endPages: cancel, log: log}
	p, _ := r.(pooled)
	if err := m.openSites(ctx, cfg, p.Pool, l); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *monitor) openSites(ctx context.Context, cfg config, p *hemlock.Pool, l *limit) error {
	if cfg.http != "" {
		pages, plots, err := newDebugPages(p, l)
		if err != nil {
			return fmt.Errorf("-http %s: %w", cfg.http, err)
		}
		m.plots = plots
		hosts := append(strings.Split(cfg.httpHosts, ","), hostOf(cfg.http))
		if err := m.addLook(ctx, pages, p, cfg, hosts); err != nil {
			return fmt.Errorf("-http %s: %w", cfg.http, err)
		}
		if err := m.openSite(ctx, "http", cfg.http, askedAs(hosts, pages)); err != nil {
			return err
		}
	}
	if cfg.metrics == "" {
		return nil
	}
	pages, err := newPublicPages(p, l)
	if err != nil {
		return fmt.Errorf("-metrics %s: %w", cfg.metrics, err)
	}
	return m.openSite(ctx, "metrics", cfg.metrics, pages)
}

func (m *monitor) openSite(ctx context.Context, flag, addr string, pages http.Handler) error {
	listener, err := net.Listen("tcp", monitorAddr(addr))
	if err != nil {
		return fmt.Errorf("-%s %s: %w", flag, addr, err)
	}
	m.sites = append(m.sites, site{flag, listener, newHTTPServer(ctx, pages, m.log)})
	return nil
}

// askedAs refuses a request for any host except the loopback interface and those given.
// If the name of a stranger's page leads to 127.0.0.1 (DNS rebinding), the page is of
// one origin with ours, and could read ours from the browser of its visitor. But its
// requests carry its name.
func askedAs(hosts []string, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		ip := net.ParseIP(host)
		if host == "" || !ip.IsLoopback() && host != "localhost" && !slices.Contains(hosts, host) {
			http.Error(w, "unknown host; see -http-hosts", http.StatusForbidden)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// hostOf returns the host of an address that may have a port.
func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
	return strings.ToLower(strings.Trim(addr, "[]"))
}

// newHTTPServer sets no timeout for writing: a profile takes as long as was
// asked for.
func newHTTPServer(ctx context.Context, pages http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       keepAliveTime,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// monitorAddr returns the address to listen on. What is served tells much about the
// process, so only its own machine sees it unless a host is given.
func monitorAddr(given string) string {
	if !strings.Contains(given, ":") {
		given = ":" + given
	}
	if host, port, err := net.SplitHostPort(given); err == nil && host == "" {
		return net.JoinHostPort(loopbackAddress, port)
	}
	return given
}

// addr returns the first address.
func (m *monitor) addr() string { return m.sites[0].listener.Addr().String() }

func (m *monitor) start() {
	if m == nil {
		return
	}
	for _, s := range m.sites {
		m.serving.Go(func() {
			if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				m.log.Error("serve over HTTP", "err", err)
			}
		})
		m.log.Info("serving over HTTP", s.flag, s.listener.Addr())
	}
}

// close undoes openMonitor for a monitor that was not started.
func (m *monitor) close() {
	if m == nil {
		return
	}
	m.end()
	for _, s := range m.sites {
		_ = s.listener.Close()
	}
}

// end ends the profiles and plots at once: otherwise they could go on for as long as a
// page is open.
func (m *monitor) end() {
	m.endPages()
	if m.plots != nil {
		_ = m.plots.Close()
	}
}

// shutdown waits until the requests under way are answered, and cuts off the rest when
// ctx ends.
func (m *monitor) shutdown(ctx context.Context) {
	if m == nil {
		return
	}
	m.end()
	for _, s := range m.sites {
		if err := s.server.Shutdown(ctx); err != nil {
			m.log.Info("cut off over HTTP", "err", err)
			_ = s.server.Close()
		}
	}
	m.serving.Wait()
}
