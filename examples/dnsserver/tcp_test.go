package main

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"
)

func TestPipelinedQueriesAreAllAnswered(t *testing.T) {
	for _, name := range runners {
		t.Run(name, func(t *testing.T) {
			cfg := loopback(name)
			cfg.latency = time.Millisecond
			s := startServer(t, cfg)
			var clients sync.WaitGroup
			for range 4 {
				conn := dial(t, "tcp", s.addr().String())
				clients.Go(func() { pipeline(t, conn, 4*maxInFlight) })
			}
			clients.Wait()
		})
	}
}

// pipeline sends queries without waiting for answers. Every answer is large, and
// each must come once and whole.
func pipeline(t *testing.T, conn *dns.Conn, queries int) {
	var writer sync.WaitGroup
	defer writer.Wait()
	writer.Go(func() {
		for id := range queries {
			if err := conn.WriteMsg(question(uint16(id), "mail._domainkey.example.org.", dns.TypeTXT)); err != nil {
				t.Errorf("query %d: %v", id, err)
				return
			}
		}
	})
	seen := map[uint16]bool{}
	for len(seen) < queries {
		m, err := conn.ReadMsg()
		if err != nil || seen[m.Id] || len(m.Answer) != 1 || len(m.Answer[0].(*dns.TXT).Txt) != 4 {
			t.Errorf("after %d answers: %v, %v", len(seen), m, err)
			return
		}
		seen[m.Id] = true
	}
}

// A holder keeps tasks until it is told to run them.
type holder struct {
	spawner
	tasks chan func()
}

func (h *holder) Run(task func()) { h.tasks <- task }

// serveHeld starts a server whose tasks a test runs.
func serveHeld(t *testing.T, most int) (*server, *holder) {
	h := &holder{tasks: make(chan func(), 4*maxInFlight)}
	return startWith(t, most, shippedResponder(t), h, quiet()), h
}

func TestQueriesInFlightOnOneConnectionAreBounded(t *testing.T) {
	s, h := serveHeld(t, 0)
	conn := dial(t, "tcp", s.addr().String())
	for id := range uint16(2 * maxInFlight) {
		require.NoError(t, conn.WriteMsg(question(id, "example.org.", dns.TypeA)))
	}
	held := make([]func(), maxInFlight)
	for i := range held {
		held[i] = <-h.tasks
	}
	// Others are not held up by it.
	other := dial(t, "tcp", s.addr().String())
	require.NoError(t, other.WriteMsg(question(1, "example.org.", dns.TypeA)))
	(<-h.tasks)()
	_, err := other.ReadMsg()
	require.NoError(t, err)
	require.Empty(t, h.tasks)

	for _, task := range held {
		task()
		held = append(held[1:], <-h.tasks) // one ended, so one more was read
	}
	for _, task := range held {
		task()
	}
	for range 2 * maxInFlight {
		_, err := conn.ReadMsg()
		require.NoError(t, err)
	}
}

// The client may stop sending once it has asked.
func TestClientThatClosesItsHalfGetsItsAnswersAsTheyAreDone(t *testing.T) {
	s, h := serveHeld(t, 0)
	conn := dial(t, "tcp", s.addr().String())
	for id := range uint16(2) {
		require.NoError(t, conn.WriteMsg(question(id, "example.org.", dns.TypeA)))
	}
	require.NoError(t, conn.Conn.(*net.TCPConn).CloseWrite())
	first, second := <-h.tasks, <-h.tasks
	second()
	first()
	for _, want := range []uint16{1, 0} {
		m, err := conn.ReadMsg()
		require.NoError(t, err)
		require.Equal(t, want, m.Id)
	}
	_, err := conn.ReadMsg()
	require.Error(t, err, "the connection is closed after the last answer")
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// Neither a client that asks nothing nor one that sends no query keeps a connection.
func TestUselessConnectionIsClosed(t *testing.T) {
	for name, idle := range map[string]time.Duration{"": 20 * time.Millisecond, "\x00\x01x": patience} {
		ctx, cancel := context.WithCancel(t.Context())
		s := &server{idle: idle, room: semaphore.NewWeighted(1)}
		client, served := net.Pipe()
		s.readers.Add(1)
		go s.serveConn(ctx, served)
		_, err := io.WriteString(client, name)
		require.NoError(t, err)
		_, err = client.Read(make([]byte, 1)) // returns only because the server hangs up
		require.ErrorIs(t, err, io.EOF)
		s.readers.Wait()
		cancel()
	}
}
