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
)

const (
	headerTimeout = 5 * time.Second // for the header of a request to arrive
	keepAliveTime = time.Minute     // for the next request on a connection to begin
)

// A monitor shows the server to people and to scrapers, over HTTP on addresses
// of its own. The zero monitor is one that is off.
type monitor struct {
	log     *slog.Logger
	end     context.CancelFunc // ends what would not end by itself
	addrs   []string
	servers []*http.Server
	serving sync.WaitGroup
}

// openMonitor serves on the addresses that are not empty.
func openMonitor(cfg config, s *server) (*monitor, error) {
	ctx, cancel := context.WithCancel(context.Background())
	m := &monitor{log: s.log, end: cancel}
	err := m.open(ctx, cfg, s)
	if err != nil {
		cancel()
		m.shutdown(ctx)
	}
	return m, err
}

func (m *monitor) open(ctx context.Context, cfg config, s *server) error {
	pool, _ := s.runner.(*hemlock.Pool)
	for _, site := range []struct{ flag, addr string }{{"http", cfg.http}, {"metrics", cfg.metrics}} {
		if site.addr == "" {
			continue
		}
		pages, err := newPublicPages(pool, s.dropped)
		handler := http.Handler(pages)
		if err == nil && site.flag == "http" {
			hosts := append(strings.Split(cfg.httpHosts, ","), hostOf(cfg.http))
			handler = askedAs(hosts, pages)
			err = m.addDebugPages(ctx, pages, pool, cfg, hosts)
		}
		if err == nil {
			err = m.serve(ctx, site.flag, site.addr, handler)
		}
		if err != nil {
			return fmt.Errorf("-%s %s: %w", site.flag, site.addr, err)
		}
	}
	return nil
}

// serve sets no timeout for writing: a profile takes as long as was asked for.
func (m *monitor) serve(ctx context.Context, flag, addr string, pages http.Handler) error {
	listener, err := net.Listen("tcp", monitorAddr(addr))
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       keepAliveTime,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(m.log.Handler(), slog.LevelWarn),
	}
	m.addrs, m.servers = append(m.addrs, listener.Addr().String()), append(m.servers, server)
	m.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.log.Error("serve over HTTP", "err", err)
		}
	})
	m.log.Info("serving over HTTP", flag, listener.Addr())
	return nil
}

// shutdown ends profiles and plots at once, since they could go on for as long as a page
// is open. It waits until other requests are answered, and cuts off the rest when ctx ends.
func (m *monitor) shutdown(ctx context.Context) {
	for _, s := range m.servers {
		m.end()
		if err := s.Shutdown(ctx); err != nil {
			m.log.Info("cut off over HTTP", "err", err)
			_ = s.Close()
		}
	}
	m.serving.Wait()
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

// monitorAddr returns the address to listen on. What is served tells much about the
// process, so only its own machine sees it unless a host is given.
func monitorAddr(given string) string {
	if !strings.Contains(given, ":") {
		given = ":" + given
	}
	if strings.HasPrefix(given, ":") && !strings.HasPrefix(given, "::") {
		return "127.0.0.1" + given
	}
	return given
}
