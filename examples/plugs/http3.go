package plugs

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/hemlock"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// An HTTP3 serves HTTP/3 with each request as one task of a pool. It stands in
// for (*http3.Server).ServeListener in http3/server.go.
//
// The hook is HandleRequestStream in http3/server_conn.go, which serves one
// request on the goroutine that calls it; the connection for it comes from
// (*http3.Server).NewRawServerConn. The goroutines of a connection stay ordinary
// ones.
type HTTP3 struct {
	Pool *hemlock.Pool

	// Server has the handler, the settings and the timeouts. Its Close and
	// Shutdown do not know the connections that are served here.
	Server *http3.Server

	// Linger is for how long a connection is kept open after its last answer
	// when the ctx of Serve ends, so that the answer arrives.
	Linger time.Duration
}

// Serve serves connections from ln. When ctx ends it accepts nothing more,
// finishes the requests under way, closes each connection when its client has
// done so or when it has lingered, and returns nil. When ln is closed it returns
// nil after all clients have gone. Another error of ln is returned then.
//
// A raw connection cannot send GOAWAY, because NewRawServerConn keeps the control
// stream to itself. A request that a client sends after the end of ctx fails when
// its connection is closed.
func (s HTTP3) Serve(ctx context.Context, ln http3.QUICListener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := ln.Accept(ctx)
		switch {
		case errors.Is(err, quic.ErrServerClosed) || ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		conns.Go(func() { s.serveConn(ctx, conn) })
	}
}

func (s HTTP3) serveConn(ctx context.Context, conn *quic.Conn) {
	h3, err := s.Server.NewRawServerConn(conn)
	if err != nil {
		_ = conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeInternalError), "")
		return
	}
	var uniStreams sync.WaitGroup
	uniStreams.Go(func() { acceptUniStreams(conn, h3) })
	s.serveRequests(ctx, conn, h3)
	s.linger(conn)
	_ = h3.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	uniStreams.Wait()
}

// serveRequests returns when the client has gone or ctx has ended, and the
// requests until then have been served.
func (s HTTP3) serveRequests(ctx context.Context, conn *quic.Conn, h3 *http3.RawServerConn) {
	var requests sync.WaitGroup
	defer requests.Wait()
	for {
		stream, err := conn.AcceptStream(ctx)
		if err != nil {
			return
		}
		requests.Add(1)
		s.Pool.Run(func() {
			defer requests.Done()
			h3.HandleRequestStream(stream)
		})
	}
}

// linger keeps the connection open for the last answers: quic-go drops what it
// has not sent when a connection is closed.
func (s HTTP3) linger(conn *quic.Conn) {
	select {
	case <-conn.Context().Done():
	case <-time.After(s.Linger):
	}
}

// acceptUniStreams serves the client's control and QPACK streams until the
// connection is closed.
func acceptUniStreams(conn *quic.Conn, h3 *http3.RawServerConn) {
	var streams sync.WaitGroup
	defer streams.Wait()
	for {
		stream, err := conn.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		streams.Go(func() { h3.HandleUnidirectionalStream(stream) })
	}
}
