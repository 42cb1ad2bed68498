package main

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock/internal/pooltest"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func count(t testing.TB, c prometheus.Counter) int {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	require.NoError(t, err)
	return int(families[0].GetMetric()[0].GetCounter().GetValue())
}

func TestOverTheLimitUDPIsDroppedAndTCPWaits(t *testing.T) {
	const most = 3
	s, h := serveHeld(t, most)
	tcp, udp := dial(t, "tcp", s.addr().String()), dial(t, "udp", s.addr().String())
	for id := range uint16(2 * most) {
		require.NoError(t, tcp.WriteMsg(question(id, "example.org.", dns.TypeA)))
	}
	held := make([]func(), most)
	for i := range held {
		held[i] = <-h.tasks
	}
	require.NoError(t, udp.WriteMsg(question(1, "example.org.", dns.TypeA)))
	pooltest.Eventually(t, func() bool { return count(t, s.dropped) == 1 }, "the query over UDP is dropped")
	require.Empty(t, h.tasks)

	for range most { // one ended, so one more is let in
		held[0]()
		held = append(held[1:], <-h.tasks)
	}
	for _, task := range held {
		task()
	}
	for range 2 * most {
		_, err := tcp.ReadMsg()
		require.NoError(t, err)
	}
	// Room again: the client over UDP asks once more.
	require.NoError(t, udp.WriteMsg(question(2, "example.org.", dns.TypeA)))
	(<-h.tasks)()
	m, err := udp.ReadMsg()
	require.NoError(t, err)
	require.Equal(t, uint16(2), m.Id)
	require.Equal(t, 1, count(t, s.dropped))
}

// A reader that waits for room must not hold up the end.
func TestQueryThatWaitsForRoomDoesNotHoldUpShutdown(t *testing.T) {
	s, h := serveHeld(t, 1)
	conn := dial(t, "tcp", s.addr().String())
	for id := range uint16(2) {
		require.NoError(t, conn.WriteMsg(question(id, "example.org.", dns.TypeA)))
	}
	held := <-h.tasks
	stopped := make(chan struct{})
	go func() {
		s.stopRead()
		s.readers.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(patience):
		t.Error("a reader waits on")
	}
	held()
}

// A watched log calls end when it has enough lines.
type watched struct {
	pooltest.Log
	lines atomic.Int64
	end   func()
}

func (w *watched) Write(p []byte) (int, error) {
	if w.lines.Add(-1) == 0 {
		w.end()
	}
	return w.Log.Write(p)
}

// Pitfall 62: every read fails at once, as that of a broken socket does.
func TestErrorsThatComeAgainAndAgainDoNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, listener, err := listen("127.0.0.1:0")
		require.NoError(t, err)
		// A loop that spins lets no time pass in the bubble: it is made to end.
		logged := &watched{end: func() { _, _ = conn.Close(), listener.Close() }}
		logged.lines.Store(100_000)
		require.NoError(t, conn.SetReadDeadline(past))
		require.NoError(t, listener.(interface{ SetDeadline(time.Time) error }).SetDeadline(past))
		s := newServer(conn, listener, 0, shippedResponder(t), new(spawner), textLog(logged))
		time.Sleep(100 * afterError)
		require.NoError(t, stop(s, patience))
		for _, what := range []string{"read over UDP", "accept over TCP"} {
			require.InDelta(t, 100, strings.Count(logged.String(), what), 1, what)
		}
	})
}
