package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/arl/statsviz"
)

const (
	headerTimeout   = 5 * time.Second // for the header of a request to arrive
	keepAliveTime   = time.Minute     // for the next request on a connection to begin
	loopbackAddress = "127.0.0.1"
)

// A monitor shows the server to people and to scrapers, over HTTP on an address
// of its own. A nil monitor is one that is off.
type monitor struct {
	// Immutable after openMonitor.
	listener net.Listener
	server   *http.Server
	plots    *statsviz.Server
	endPages context.CancelFunc // ends what would not end by itself
	log      *slog.Logger

	serving sync.WaitGroup
}

// openMonitor listens on the address, or returns nil if that is empty. Nothing is
// answered before start.
func openMonitor(addr string, r runner, log *slog.Logger) (*monitor, error) {
	if addr == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", monitorAddr(addr))
	if err != nil {
		return nil, fmt.Errorf("-http %s: %w", addr, err)
	}
	pages, plots, err := newPages(r)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("-http %s: %w", addr, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := newHTTPServer(ctx, pages, log)
	return &monitor{listener: listener, server: server, plots: plots, endPages: cancel, log: log}, nil
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

// monitorAddr returns the address to listen on. What is served tells much about
// the process, so that only its own machine sees it unless a host is given.
func monitorAddr(given string) string {
	if !strings.Contains(given, ":") {
		given = ":" + given
	}
	if host, port, err := net.SplitHostPort(given); err == nil && host == "" {
		return net.JoinHostPort(loopbackAddress, port)
	}
	return given
}

func (m *monitor) addr() string { return m.listener.Addr().String() }

func (m *monitor) start() {
	if m == nil {
		return
	}
	m.serving.Go(func() {
		if err := m.server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
			m.log.Error("serve over HTTP", "err", err)
		}
	})
	m.log.Info("serving over HTTP", "http", m.addr())
}

// close undoes openMonitor for a monitor that was not started.
func (m *monitor) close() {
	if m == nil {
		return
	}
	m.endPages()
	_ = m.plots.Close()
	_ = m.listener.Close()
}

// shutdown lets the requests under way be answered and cuts off those that are
// not when ctx ends. Profiles and plots end at once: they could go on for as
// long as somebody watches.
func (m *monitor) shutdown(ctx context.Context) {
	if m == nil {
		return
	}
	m.endPages()
	_ = m.plots.Close()
	if err := m.server.Shutdown(ctx); err != nil {
		m.log.Info("cut off over HTTP", "err", err)
		_ = m.server.Close()
	}
	m.serving.Wait()
}
