package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// receiveBuffer is what the kernel is asked to keep for packets that have not
// been read, in octets. It grants what its limits allow.
const receiveBuffer = 1 << 20

// A packet is one query on its way through the server, and then its answer.
type packet struct {
	server *server
	task   func() // answer, bound once: binding it for each query would allocate
	from   netip.AddrPort
	length int
	buf    [maxUDP]byte
}

// serveUDP starts a task for each packet until ctx ends. It holds one buffer while it
// waits for a packet.
func (s *server) serveUDP(ctx context.Context) {
	unblock := context.AfterFunc(ctx, func() { _ = s.udp.SetReadDeadline(past) })
	defer unblock()
	for ctx.Err() == nil {
		p := s.packets.Get().(*packet)
		var err error
		if p.length, p.from, err = s.udp.ReadFromUDPAddrPort(p.buf[:]); err != nil {
			s.packets.Put(p)
			if !s.tryAgain(ctx, "read over UDP", err) {
				return
			}
			continue
		}
		if !s.room.TryAcquire(1) {
			s.dropped.Inc()
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
	defer s.room.Release(1)
	defer s.packets.Put(p)
	reply := s.queries.reply(p.buf[:p.length], overUDP, p.buf[:])
	if reply == nil {
		return
	}
	if _, err := s.udp.WriteToUDPAddrPort(reply, p.from); err != nil {
		s.log.Debug("answer not sent", "to", p.from, "err", err)
	}
}

// past is a deadline that ends every read under way.
var past = time.Unix(1, 0)

// afterError is how long a loop rests after an error. One may come again and again, such
// as that of a process without file descriptors left.
const afterError = 100 * time.Millisecond

// tryAgain reports whether the loop should, after a pause.
func (s *server) tryAgain(ctx context.Context, what string, err error) bool {
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return false
	}
	s.log.Warn(what, "err", err, "retry_in", afterError)
	return sleep(ctx, afterError)
}

// sleep reports whether ctx did not end in the meantime.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
