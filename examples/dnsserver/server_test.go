package main

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

var runners = []string{poolRunner, goRunner}

func TestQueriesAreAnsweredOverBothTransports(t *testing.T) {
	for _, name := range runners {
		s := startServer(t, loopback(name))
		for _, network := range []string{"udp", "tcp"} {
			t.Run(name+"/"+network, func(t *testing.T) {
				conn := dial(t, network, s.addr().String())
				for _, e := range newOracle(shippedRecords(t)).expectations() {
					require.NoError(t, conn.WriteMsg(e.query(2))) // takes 1232 octets
					m, err := conn.ReadMsg()
					require.NoError(t, err)
					require.NoError(t, e.check(m), e)
				}
			})
		}
	}
}

func TestEveryQueryIsOneTask(t *testing.T) {
	cfg := loopback(poolRunner)
	s, err := openServer(cfg, quiet())
	require.NoError(t, err)
	const queries = 50
	for _, network := range []string{"udp", "tcp"} {
		conn := dial(t, network, s.addr().String())
		for id := range uint16(queries) {
			require.NoError(t, conn.WriteMsg(question(id, "example.org.", dns.TypeA)))
			_, err := conn.ReadMsg()
			require.NoError(t, err)
		}
	}
	require.NoError(t, stop(s, patience))
	stats := s.runner.(pooled).Stats()
	require.EqualValues(t, 2*queries, stats.Submitted)
	require.EqualValues(t, 2*queries, stats.Completed)
	require.Zero(t, stats.Workers)
}

func TestMalformedPacketsAreAnsweredOrDropped(t *testing.T) {
	for _, name := range runners {
		s, err := openServer(loopback(name), quiet())
		require.NoError(t, err)
		conn := dial(t, "udp", s.addr().String())
		for what, octets := range malformed {
			_, err := conn.Write(wire(t, octets))
			require.NoError(t, err)
			m, err := conn.ReadMsg()
			require.NoError(t, err, what)
			require.Equal(t, dns.RcodeFormatError, m.Rcode, what)
			require.Equal(t, uint16(0xbeef), m.Id, what)
		}
		for _, octets := range dropped {
			_, err := conn.Write(wire(t, octets))
			require.NoError(t, err)
		}
		// The socket is read in order and a drained server has sent all its
		// answers, so none but this can come.
		require.NoError(t, conn.WriteMsg(question(7, "example.org.", dns.TypeA)))
		m, err := conn.ReadMsg()
		require.NoError(t, err)
		require.Equal(t, uint16(7), m.Id)
		require.NoError(t, stop(s, patience))
		require.NoError(t, conn.SetReadDeadline(past))
		_, err = conn.ReadMsg()
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
}

func TestPanicOfAQueryCostsOnlyItsAnswer(t *testing.T) {
	conn, listener, err := listen("127.0.0.1:0")
	require.NoError(t, err)
	var logged logBuffer
	log := textLog(&logged)
	r, err := newRunner(poolRunner, time.Millisecond, 0, log)
	require.NoError(t, err)
	broken := shippedResponder(t)
	broken.zone.nodes["web.example.org."].sets[dns.TypeTXT] = []dns.RR{nil}
	s := newServer(conn, listener, broken, r, newLimit(0), log)
	for _, network := range []string{"udp", "tcp"} {
		client := dial(t, network, s.addr().String())
		require.NoError(t, client.WriteMsg(question(1, "web.example.org.", dns.TypeTXT)))
		require.NoError(t, client.WriteMsg(question(2, "web.example.org.", dns.TypeA)))
		m, err := client.ReadMsg()
		require.NoError(t, err)
		require.Equal(t, uint16(2), m.Id)
	}
	require.NoError(t, stop(s, patience))
	require.EqualValues(t, 2, r.(pooled).Stats().Panicked)
	require.Equal(t, 2, strings.Count(logged.String(), "query panicked"))
}

func TestShutdownAnswersWhatWasRead(t *testing.T) {
	for _, name := range runners {
		cfg := loopback(name)
		cfg.latency = 50 * time.Millisecond
		s, err := openServer(cfg, quiet())
		require.NoError(t, err)
		clients := []*asker{slowQuestion(t, "udp", s.addr().String()), slowQuestion(t, "tcp", s.addr().String())}
		require.NoError(t, stop(s, patience))
		for _, c := range clients {
			c.requireAnswer(t)
		}
		_, err = net.Dial("tcp", s.addr().String())
		require.Error(t, err)
	}
}

// An asker has asked a question that takes as long as the latency says.
type asker struct {
	*dns.Conn
	answer *dns.Msg // nil if it has not come yet
}

// slowQuestion returns when the server has read the question: a query for
// another zone, which is refused at once, was sent after it.
func slowQuestion(t *testing.T, network, addr string) *asker {
	t.Helper()
	a := &asker{Conn: dial(t, network, addr)}
	require.NoError(t, a.WriteMsg(question(1, "example.org.", dns.TypeA)))
	require.NoError(t, a.WriteMsg(question(2, "example.com.", dns.TypeA)))
	for {
		m, err := a.ReadMsg()
		require.NoError(t, err)
		if m.Id == 2 {
			return a
		}
		a.answer = m // on a machine that was busy for longer than the latency
	}
}

func (a *asker) requireAnswer(t *testing.T) {
	t.Helper()
	if a.answer == nil {
		var err error
		a.answer, err = a.ReadMsg()
		require.NoError(t, err)
	}
	require.Equal(t, uint16(1), a.answer.Id)
	require.Len(t, a.answer.Answer, 1)
}

func TestShutdownGivesUpWhenItsTimeIsOver(t *testing.T) {
	for _, name := range runners {
		s, err := openServer(loopback(name), quiet())
		require.NoError(t, err)
		release := make(chan struct{})
		s.runner.Run(func() { <-release })
		err = s.shutdown(ended())
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "drain: ")
		require.ErrorContains(t, err, "1 ")
		close(release)
		require.NoError(t, stop(s, patience))
	}
}

func TestBusyPortIsNamedAndNothingIsLeftOpen(t *testing.T) {
	taken := startServer(t, loopback(goRunner)).addr().String()
	_, _, err := listen(taken)
	require.ErrorContains(t, err, taken)
	require.ErrorContains(t, err, "udp")

	conn, listener, err := listen("127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, conn.Close()) // free for UDP, taken for TCP
	busy := listener.Addr().String()
	for range 2 { // the second time would name udp if the first had left it open
		_, _, err = listen(busy)
		require.ErrorContains(t, err, busy)
		require.ErrorContains(t, err, "tcp")
	}
}
