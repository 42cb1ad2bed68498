package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/netutil"
)

// A server answers queries over UDP and TCP on one address.
type server struct {
	// Immutable after openServer.
	runner   runner
	log      *slog.Logger
	udp      *udpServer
	tcp      *tcpServer
	monitor  *monitor // nil if it is off
	stopRead context.CancelFunc

	readers sync.WaitGroup
}

// openServer starts a server. It finds everything that can be wrong before it starts
// anything.
func openServer(cfg config, log *slog.Logger) (*server, error) {
	records, err := loadRecords(cfg.zone)
	if err != nil {
		return nil, err
	}
	z, err := newZone(records)
	if err != nil {
		return nil, err
	}
	r, err := newRunner(cfg.runner, cfg.killInterval, cfg.killDelay, log)
	if err != nil {
		return nil, err
	}
	l := newLimit(cfg.most)
	m, err := openMonitor(cfg, r, l, log)
	if err != nil {
		return nil, err
	}
	conn, listener, err := listen(cfg.addr)
	if err != nil {
		m.close()
		return nil, err
	}
	s := newServer(conn, listener, &responder{z, backend{cfg.latency, cfg.work}}, r, l, log)
	log.Info("serving", "addr", s.addr(), "zone", z.origin, "records", len(records), "runner", cfg.runner)
	s.monitor = m
	m.start()
	return s, nil
}

func newServer(conn *net.UDPConn, listener net.Listener, queries *responder, r runner, l *limit, log *slog.Logger) *server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{
		runner:   r,
		log:      log,
		udp:      newUDPServer(conn, queries, r, l, log),
		tcp:      &tcpServer{listener: listener, queries: queries, runner: r, limit: l, log: log, idle: idleTimeout},
		stopRead: cancel,
	}
	s.readers.Go(func() { s.udp.serve(ctx) })
	s.readers.Go(func() { s.tcp.serve(ctx) })
	return s
}

func (s *server) addr() netip.AddrPort {
	return s.udp.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// shutdown stops reading, lets every query that was read be answered, and closes
// the sockets. It returns an error if ctx ends first. In either case it logs the
// runner's counts.
func (s *server) shutdown(ctx context.Context) error {
	s.stopRead()
	// Once no reader is left, nothing is submitted any more. So no query meets a pool
	// that has been shut down.
	s.readers.Wait()
	err := s.runner.Shutdown(ctx)
	_ = s.udp.conn.Close()  // the last answer has been written, or is given up
	s.monitor.shutdown(ctx) // last, so that the drain can be watched
	if err != nil {
		s.log.Error("not drained", "stats", s.runner.Counts())
		return fmt.Errorf("drain: %w", err)
	}
	s.log.Info("drained", "stats", s.runner.Counts())
	return nil
}

// listen opens a UDP socket and a TCP listener on the same port. A port of 0
// stands for one that is free for both.
func listen(addr string) (*net.UDPConn, net.Listener, error) {
	const attempts = 20 // the free UDP port may be taken for TCP
	var err error
	for range attempts {
		var conn *net.UDPConn
		var listener net.Listener
		if conn, listener, err = listenOnce(addr); err == nil {
			_ = conn.SetReadBuffer(receiveBuffer)
			return conn, netutil.LimitListener(listener, maxConns), nil
		}
		if _, port, _ := net.SplitHostPort(addr); port != "0" {
			break
		}
	}
	return nil, nil, err // names the protocol and the address
}

func listenOnce(addr string) (*net.UDPConn, net.Listener, error) {
	conn, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, nil, err
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn.(*net.UDPConn), listener, nil
}
