package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock/internal/pooltest"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

func TestQueriesAreAnsweredOverBothTransports(t *testing.T) {
	for _, name := range runners {
		s, err := openServer(loopback(name), quiet())
		require.NoError(t, err)
		book := s.queries.zone.book()
		for _, network := range []string{"udp", "tcp"} {
			conn := dial(t, network, s.addr().String())
			for _, e := range book {
				require.NoError(t, e.check(exchange(t, conn, e.query(2))), e) // takes 1232 octets
			}
		}
		require.NoError(t, stop(s, patience))
		stats := s.runner.Stats()
		require.EqualValues(t, 2*len(book), stats.Submitted, "every query is one task")
		require.EqualValues(t, 2*len(book), stats.Completed)
		require.Zero(t, stats.Workers)
	}
}

func TestPacketsWithoutAnAnswerGetNone(t *testing.T) {
	s, err := openServer(loopback(poolRunner), quiet())
	require.NoError(t, err)
	conn := dial(t, "udp", s.addr().String())
	for _, octets := range dropped {
		_, err := conn.Write(wire(t, octets))
		require.NoError(t, err)
	}
	// The socket is read in order and a drained server has sent all its
	// answers, so none but this can come.
	require.Equal(t, uint16(7), exchange(t, conn, question(7, "example.org.", dns.TypeA)).Id)
	require.NoError(t, stop(s, patience))
	require.NoError(t, conn.SetReadDeadline(past))
	_, err = conn.ReadMsg()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestPanicOfAQueryCostsOnlyItsAnswer(t *testing.T) {
	var logged pooltest.Log
	broken := shippedResponder(t)
	broken.zone.names["web.example.org."][dns.TypeTXT] = []dns.RR{nil}
	r := newRunner(loopback(poolRunner), textLog(&logged))
	s := startWith(t, 1, broken, r, quiet()) // with room for one query, which each must give back
	for n, network := range []string{"udp", "tcp"} {
		client := dial(t, network, s.addr().String())
		require.NoError(t, client.WriteMsg(question(1, "web.example.org.", dns.TypeTXT)))
		pooltest.Eventually(t, func() bool { return strings.Count(logged.String(), "query panicked") == n+1 }, "the panic is logged")
		require.Equal(t, uint16(2), exchange(t, client, question(2, "web.example.org.", dns.TypeA)).Id)
	}
	require.EqualValues(t, 2, r.Stats().Panicked)
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

func TestBusyPortIsNamedAndNothingIsLeftOpen(t *testing.T) {
	conn, listener, err := listen("127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	busy := listener.Addr().String()
	_, _, err = listen(busy)
	require.ErrorContains(t, err, "udp "+busy)
	require.NoError(t, conn.Close()) // free for UDP, taken for TCP
	for range 2 {                    // the second time would name udp if the first had left it open
		_, _, err = listen(busy)
		require.ErrorContains(t, err, "tcp "+busy)
	}
}

func TestRunnerWaitsForItsTasksAndHonoursItsContext(t *testing.T) {
	for _, name := range runners {
		synctest.Test(t, func(t *testing.T) {
			r := newRunner(config{runner: name, killInterval: time.Second}, quiet())
			for range 5 {
				r.Run(func() { time.Sleep(time.Hour) })
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			start := time.Now()
			require.ErrorIs(t, r.Shutdown(ctx), context.DeadlineExceeded)
			require.Equal(t, time.Minute, time.Since(start))
			require.EqualValues(t, 5, r.Stats().Running)
			require.NoError(t, r.Shutdown(t.Context()))
			require.Equal(t, time.Hour, time.Since(start))
			got := r.Stats()
			require.Equal(t, []int64{0, 5, 5, 5}, []int64{got.Workers, got.PeakWorkers, got.Submitted, got.Completed})
		})
	}
}
