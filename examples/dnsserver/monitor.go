package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
	addrs   map[string]string // by flag
	closers []func()
	serving sync.WaitGroup
}

// openMonitor serves on the addresses that are not empty.
func openMonitor(cfg config, s *server) (*monitor, error) {
	m := &monitor{log: s.log, addrs: map[string]string{}}
	err := m.open(cfg, s)
	if err != nil {
		m.shutdown()
	}
	return m, err
}

func (m *monitor) open(cfg config, s *server) error {
	pool, _ := s.runner.(*hemlock.Pool)
	public, err := newPublicPages(pool, s.dropped)
	if err == nil && cfg.http != "" {
		var debug http.Handler
		if debug, err = m.newDebugPages(pool, cfg, public); err == nil {
			err = m.serve("http", cfg.http, askedAs(hostOf(cfg.http), debug))
		}
	}
	if err == nil && cfg.metrics != "" {
		err = m.serve("metrics", cfg.metrics, public)
	}
	return err
}

// serve sets no timeout for writing: a profile takes as long as was asked for.
func (m *monitor) serve(flag, addr string, pages http.Handler) error {
	listener, err := net.Listen("tcp", monitorAddr(addr))
	if err != nil {
		return fmt.Errorf("-%s %s: %w", flag, addr, err)
	}
	server := &http.Server{
		Handler:           pages,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       keepAliveTime,
		ErrorLog:          slog.NewLogLogger(m.log.Handler(), slog.LevelWarn),
	}
	m.addrs[flag] = listener.Addr().String()
	m.closers = append(m.closers, func() { _ = server.Close() })
	m.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.log.Error("serve over HTTP", "err", err)
		}
	})
	m.log.Info("serving over HTTP", flag, listener.Addr())
	return nil
}

// shutdown cuts off what is under way: profiles and plots could go on for as long as a
// page is open.
func (m *monitor) shutdown() {
	for _, end := range m.closers {
		end()
	}
	m.serving.Wait()
}

// askedAs refuses a request for any host except the loopback interface and the one given.
// If the name of a stranger's page leads to 127.0.0.1 (DNS rebinding), the page is of
// one origin with ours, and could read ours from the browser of its visitor. But its
// requests carry its name.
func askedAs(given string, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		ip := net.ParseIP(host)
		if host == "" || !ip.IsLoopback() && host != "localhost" && host != given {
			http.Error(w, "unknown host", http.StatusForbidden)
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
	if strings.HasPrefix(given, ":") && !strings.HasPrefix(given, "::") {
		return "127.0.0.1" + given
	}
	return given
}
