package target

import (
	"io"
	"net"
	"sync"
)

// acceptTCP listens on loopback and serves each connection on a goroutine of its
// own. What it returns closes the connections as well.
func acceptTCP(serve func(net.Conn)) (Endpoint, io.Closer, error) {
	ln, err := net.Listen("tcp", loopback)
	if err != nil {
		return Endpoint{}, nil, err
	}
	s := &tcpServer{ln: ln}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil || !s.add(conn) {
				return
			}
			go serve(conn)
		}
	}()
	return Endpoint{Address: ln.Addr().String()}, s, nil
}

// A tcpServer knows its connections.
type tcpServer struct {
	ln net.Listener

	mu     sync.Mutex // guards what follows
	conns  []net.Conn
	closed bool
}

// add reports whether the connection may be served; if not it is closed.
func (s *tcpServer) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.conns = append(s.conns, conn)
	return true
}

// Close closes the listener and all connections.
func (s *tcpServer) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.conns {
		_ = conn.Close() // it may be closed already
	}
	return s.ln.Close()
}
