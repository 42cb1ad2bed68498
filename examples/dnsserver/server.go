package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/semaphore"
)

// A server answers queries over UDP and TCP on one address.
type server struct {
	// Immutable after openServer.
	runner   runner
	queries  *responder
	log      *slog.Logger
	udp      *net.UDPConn
	tcp      net.Listener
	idle     time.Duration // how long a connection waits for a query
	monitor  *monitor
	stopRead context.CancelFunc

	// room bounds the queries under way, over both transports together. It stands in
	// front of the runner, which refuses nothing. Above it a query over UDP is dropped,
	// since its client cannot be made to wait. One over TCP waits, and its client with
	// it. A query that waits comes before any packet that arrives meanwhile, so that a
	// flood over UDP does not keep TCP out.
	room    *semaphore.Weighted
	dropped prometheus.Counter

	// packets keeps the buffers of answered queries for the next ones. A buffer belongs
	// to a query and not to a worker. An idle worker would hold one for as long as the
	// killer spares it, and so would every worker that a spike left behind, while the
	// garbage collector empties a sync.Pool. Besides, a packet must be read into its
	// buffer before there is a worker.
	packets sync.Pool

	readers sync.WaitGroup
}

// openServer starts a server.
func openServer(cfg config, log *slog.Logger) (*server, error) {
	z, err := loadZone(cfg.zone)
	if err != nil {
		return nil, err
	}
	conn, listener, err := listen(cfg.addr)
	if err != nil {
		return nil, err
	}
	s := newServer(conn, listener, cfg.most, &responder{z, backend{cfg.latency, cfg.work}}, newRunner(cfg, log), log)
	log.Info("serving", "addr", s.addr(), "zone", z.origin, "records", len(z.records), "runner", cfg.runner)
	if s.monitor, err = openMonitor(cfg, s); err != nil {
		_ = stop(s, drainTime)
		return nil, err
	}
	return s, nil
}

func newServer(conn *net.UDPConn, listener net.Listener, most int, queries *responder, r runner, log *slog.Logger) *server {
	if most == 0 {
		most = math.MaxInt
	}
	s := &server{
		runner:  r,
		queries: queries,
		log:     log,
		udp:     conn,
		tcp:     netutil.LimitListener(listener, maxConns),
		idle:    idleTimeout,
		monitor: new(monitor),
		room:    semaphore.NewWeighted(int64(most)),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dnsserver_udp_dropped_total",
			Help: "Queries over UDP that were dropped because as many as -max says were under way.",
		}),
	}
	s.packets.New = func() any {
		p := &packet{server: s}
		p.task = p.answer
		return p
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stopRead = cancel
	s.readers.Go(func() { s.serveUDP(ctx) })
	s.readers.Go(func() { s.serveTCP(ctx) })
	return s
}

func (s *server) addr() netip.AddrPort { return s.udp.LocalAddr().(*net.UDPAddr).AddrPort() }

// shutdown stops reading, lets every query that was read be answered, and closes
// the sockets. It returns an error if ctx ends first. In either case it logs the
// runner's counts.
func (s *server) shutdown(ctx context.Context) error {
	s.stopRead()
	// Once no reader is left, nothing is submitted any more. So no query meets a pool
	// that has been shut down.
	s.readers.Wait()
	err := s.runner.Shutdown(ctx)
	_ = s.udp.Close()    // the last answer has been written, or is given up
	s.monitor.shutdown() // last, so that the drain can be watched
	if err != nil {
		s.log.Error("not drained", "stats", s.runner.Stats())
		return fmt.Errorf("drain: %w", err)
	}
	s.log.Info("drained", "stats", s.runner.Stats())
	return nil
}

// listen opens a UDP socket and a TCP listener on the same port. A port of 0 stands for
// one that is free for both: the free UDP port may be taken for TCP.
func listen(addr string) (*net.UDPConn, net.Listener, error) {
	host, port, _ := net.SplitHostPort(addr)
	for attempt := 1; ; attempt++ {
		conn, err := net.ListenPacket("udp", addr)
		if err != nil {
			return nil, nil, err
		}
		_, taken, _ := net.SplitHostPort(conn.LocalAddr().String())
		listener, err := net.Listen("tcp", net.JoinHostPort(host, taken))
		if err == nil {
			udp := conn.(*net.UDPConn)
			_ = udp.SetReadBuffer(receiveBuffer)
			return udp, listener, nil
		}
		_ = conn.Close()
		if port != "0" || attempt == 20 {
			return nil, nil, err
		}
	}
}
