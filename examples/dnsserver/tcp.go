package main

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/semaphore"
)

const (
	maxConns    = 1024 // connections at once; further ones wait to be accepted
	maxInFlight = 128  // queries of one connection at once; further ones wait to be read

	idleTimeout  = 10 * time.Second // for the next query on a connection to arrive in full
	writeTimeout = 4 * time.Second  // for a client to take an answer; less than drainTime
)

// serveTCP accepts connections until ctx ends.
//
// The reader of a connection is an ordinary goroutine, not a worker. It lives
// as long as its connection and nearly always waits: on a worker it would count
// as a running task that never ends, the pool's numbers would say how many
// clients there are instead of how much work, and Shutdown would wait for clients
// that have asked nothing. It needs little stack and it is started once for many
// queries, so there would be nothing to gain either.
func (s *server) serveTCP(ctx context.Context) {
	defer s.tcp.Close() // the loop may see that ctx has ended before closing does
	closing := context.AfterFunc(ctx, func() { _ = s.tcp.Close() })
	defer closing()
	for ctx.Err() == nil {
		conn, err := s.tcp.Accept()
		if err != nil {
			if !s.tryAgain(ctx, "accept over TCP", err) {
				return
			}
			continue
		}
		s.readers.Add(1)
		go s.serveConn(ctx, conn)
	}
}

func (s *server) serveConn(ctx context.Context, conn net.Conn) {
	c := &tcpConn{server: s, Conn: dns.Conn{Conn: conn}, inFlight: semaphore.NewWeighted(maxInFlight)}
	c.read(ctx)
	s.readers.Done()
	_ = c.inFlight.Acquire(context.Background(), maxInFlight) // once the last task has written
	_ = c.Close()
}

// A tcpConn is one client's connection. Several of its queries may be in flight,
// and they are answered in the order in which they are done (RFC 7766).
type tcpConn struct {
	server *server
	dns.Conn
	inFlight *semaphore.Weighted

	// writing is held while an answer is written: none may follow a part of another.
	writing sync.Mutex
}

// read starts a task for each query until the client hangs up, sends what is no query,
// is idle for too long, or ctx ends. While it waits for a query it holds no buffer.
func (c *tcpConn) read(ctx context.Context) {
	unblock := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(past) })
	defer unblock()
	for c.inFlight.Acquire(ctx, 1) == nil {
		query, err := c.next(ctx)
		if err == nil {
			// Only now: a client that asks nothing takes no room.
			err = c.server.room.Acquire(ctx, 1)
		}
		if err != nil {
			c.inFlight.Release(1)
			return
		}
		c.server.runner.Run(func() { c.answer(query) })
	}
}

func (c *tcpConn) next(ctx context.Context) ([]byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.server.idle)); err != nil {
		return nil, err
	}
	// Looked at after the deadline was set: ctx ends before its AfterFunc
	// sets the deadline to the past, so either this sees it or the read does.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.ReadMsgHeader(nil)
}

// answer is the task of a query. After a write that failed the connection is of no use:
// part of an answer may be under way.
func (c *tcpConn) answer(query []byte) {
	defer c.inFlight.Release(1)
	defer c.server.room.Release(1)
	reply := c.server.queries.reply(query, overTCP, nil)
	if reply == nil {
		return
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	err := c.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		_, err = c.Write(reply)
	}
	if err != nil {
		c.server.log.Debug("answer not sent", "to", c.RemoteAddr(), "err", err)
		_ = c.Close()
	}
}
