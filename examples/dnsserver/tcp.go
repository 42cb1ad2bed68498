package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
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

// A tcpServer accepts connections and starts a task for each query on them.
//
// The reader of a connection is an ordinary goroutine, not a worker. It lives
// as long as its connection and nearly always waits: on a worker it would count
// as a running task that never ends, the pool's numbers would say how many
// clients there are instead of how much work, and Shutdown would wait for clients
// that have asked nothing. It needs little stack and it is started once for many
// queries, so there would be nothing to gain either.
type tcpServer struct {
	// Immutable once serve was called.
	listener net.Listener
	queries  *responder
	runner   runner
	limit    *limit
	log      *slog.Logger
	idle     time.Duration

	readers sync.WaitGroup
}

// serve accepts until ctx ends, and returns when no connection is read any more.
// Answers may still be on their way then.
func (s *tcpServer) serve(ctx context.Context) {
	defer s.readers.Wait()
	defer s.listener.Close() // the loop may see that ctx has ended before closing does
	closing := context.AfterFunc(ctx, func() { _ = s.listener.Close() })
	defer closing()
	var pause backOff
	for ctx.Err() == nil {
		conn, err := s.listener.Accept()
		if err != nil {
			if !pause.afterError(ctx, s.log, "accept over TCP", err) {
				return
			}
			continue
		}
		pause.reset()
		s.readers.Go(func() { s.newConn(conn).read(ctx) })
	}
}

// A tcpConn is one client's connection. Several of its queries may be in flight,
// and they are answered in the order in which they are done (RFC 7766).
type tcpConn struct {
	server *tcpServer
	dns.Conn
	inFlight *semaphore.Weighted

	// writing is held while an answer is written, so that two do not mix.
	writing sync.Mutex

	// users is the number of tasks that may still write, plus one while the connection
	// is read. The last of them closes it. Otherwise the reader would have to wait for
	// the tasks, with nothing left to read.
	users atomic.Int64
}

func (s *tcpServer) newConn(conn net.Conn) *tcpConn {
	c := &tcpConn{
		server:   s,
		Conn:     dns.Conn{Conn: conn},
		inFlight: semaphore.NewWeighted(maxInFlight),
	}
	c.users.Store(1)
	return c
}

// read starts a task for each query until the client hangs up, is idle for too
// long or ctx ends. While it waits for a query it holds no buffer.
func (c *tcpConn) read(ctx context.Context) {
	defer c.leave()
	unblock := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(past) })
	defer unblock()
	for c.inFlight.Acquire(ctx, 1) == nil {
		query, err := c.next(ctx)
		if err == nil {
			// Only now: a client that asks nothing takes no room.
			err = c.server.limit.enter(ctx)
		}
		if err != nil {
			c.inFlight.Release(1)
			return
		}
		c.users.Add(1)
		c.server.runner.Run(func() { c.answer(query) })
	}
}

// next returns the next message that is long enough to be one.
func (c *tcpConn) next(ctx context.Context) ([]byte, error) {
	for {
		if err := c.SetReadDeadline(time.Now().Add(c.server.idle)); err != nil {
			return nil, err
		}
		// Looked at after the deadline was set: ctx ends before its AfterFunc
		// sets the deadline to the past, so either this sees it or the read does.
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		query, err := c.ReadMsgHeader(nil)
		if !errors.Is(err, dns.ErrShortRead) {
			return query, err
		}
	}
}

// answer is the task of a query.
func (c *tcpConn) answer(query []byte) {
	defer c.leave()
	defer c.inFlight.Release(1)
	defer c.server.limit.leave()
	if reply := c.server.queries.reply(query, overTCP, nil); reply != nil {
		c.send(reply)
	}
}

// send writes an answer with its length in front. After a write that failed the
// connection is of no use: part of an answer may be under way.
func (c *tcpConn) send(reply []byte) {
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

func (c *tcpConn) leave() {
	if c.users.Add(-1) == 0 {
		_ = c.Close()
	}
}
