package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

// A limit bounds the queries under way at a time, over both transports together. It
// stands in front of the runner, which refuses nothing. Above it a query over UDP is
// dropped, since its client cannot be made to wait. One over TCP waits, and its client
// with it. A query that waits comes before any packet that arrives meanwhile, so that a
// flood over UDP does not keep TCP out.
type limit struct {
	room    *semaphore.Weighted // nil: no bound
	dropped prometheus.Counter
}

// newLimit returns a limit of that many queries, or, for 0, of any number.
func newLimit(most int) *limit {
	l := &limit{dropped: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "dnsserver_udp_dropped_total",
		Help: "Queries over UDP that were dropped because as many as -max says were under way.",
	})}
	if most > 0 {
		l.room = semaphore.NewWeighted(int64(most))
	}
	return l
}

func (l *limit) tryEnter() bool { return l.room == nil || l.room.TryAcquire(1) }

// enter fails only if ctx ends first.
func (l *limit) enter(ctx context.Context) error {
	if l.room == nil {
		return nil
	}
	return l.room.Acquire(ctx, 1)
}

func (l *limit) leave() {
	if l.room != nil {
		l.room.Release(1)
	}
}
