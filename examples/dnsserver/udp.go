package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// receiveBuffer is what the kernel is asked to keep for packets that have not
// been read, in octets. It grants what its limits allow.
const receiveBuffer = 1 << 20

// A udpServer reads queries from one socket and starts a task for each.
type udpServer struct {
	// Immutable after newUDPServer.
	conn    *net.UDPConn
	queries *responder
	runner  runner
	limit   *limit
	log     *slog.Logger

	// packets keeps the buffers of answered queries for the next ones. A buffer belongs
	// to a query and not to a worker. An idle worker would hold one for as long as the
	// killer spares it, and so would every worker that a spike left behind, while the
	// garbage collector empties a sync.Pool. Besides, a packet must be read into its
	// buffer before there is a worker.
	packets sync.Pool
}

func newUDPServer(conn *net.UDPConn, queries *responder, r runner, l *limit, log *slog.Logger) *udpServer {
	s := &udpServer{conn: conn, queries: queries, runner: r, limit: l, log: log}
	s.packets.New = func() any {
		p := &packet{server: s}
		p.task = p.answer
		return p
	}
	return s
}

// A packet is one query on its way through the server, and then its answer.
type packet struct {
	server *udpServer
	task   func() // answer, bound once: binding it for each query would allocate
	from   netip.AddrPort
	length int
	buf    [maxUDP]byte
}

// serve reads until ctx ends. It holds one buffer while it waits for a packet.
func (s *udpServer) serve(ctx context.Context) {
	unblock := context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(past) })
	defer unblock()
	var pause backOff
	for ctx.Err() == nil {
		p := s.packets.Get().(*packet)
		var err error
		p.length, p.from, err = s.conn.ReadFromUDPAddrPort(p.buf[:])
		if err != nil {
			s.packets.Put(p)
			if !pause.afterError(ctx, s.log, "read over UDP", err) {
				return
			}
			continue
		}
		pause.reset()
		if !s.limit.tryEnter() {
			s.limit.dropped.Inc()
			s.packets.Put(p)
			continue
		}
		s.runner.Run(p.task)
	}
}

// answer is the task of a query. Packets can be written by any number of tasks
// at once.
func (p *packet) answer() {
	s := p.server
	defer s.limit.leave()
	defer s.packets.Put(p)
	reply := s.queries.reply(p.buf[:p.length], overUDP, p.buf[:])
	if reply == nil {
		return
	}
	if _, err := s.conn.WriteToUDPAddrPort(reply, p.from); err != nil {
		s.log.Debug("answer not sent", "to", p.from, "err", err)
	}
}

// past is a deadline that ends every read under way.
var past = time.Unix(1, 0)

// A backOff keeps a loop from spinning on an error that comes again and again,
// such as that of a process without file descriptors left.
type backOff struct{ wait time.Duration }

const (
	firstWait = 5 * time.Millisecond
	lastWait  = time.Second
)

func (b *backOff) reset() { b.wait = 0 }

// afterError reports whether the loop should try again, after a pause.
func (b *backOff) afterError(ctx context.Context, log *slog.Logger, what string, err error) bool {
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return false
	}
	b.wait = min(max(2*b.wait, firstWait), lastWait)
	log.Warn(what, "err", err, "retry_in", b.wait)
	select {
	case <-time.After(b.wait):
		return true
	case <-ctx.Done():
		return false
	}
}
