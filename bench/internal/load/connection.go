package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A connection carries the calls of all callers: its reader submits a task for
// each request, and the task ends when it has written its answer. The peer at
// the other end, which is all callers at once, reads the answer and sends the
// caller's next request.
type connection struct {
	load  *Load
	calls []call

	// Both have room for every call. A task that ends does not wait for its
	// caller, nor the peer for the reader.
	requests chan *call
	answers  chan *call
}

// A call belongs to one caller, and has one request or answer under way.
type call struct {
	submit func()
	probed func()
	watch  probe
}

func newConnection(l *Load, bind Bind) *connection {
	c := &connection{load: l, calls: make([]call, l.Callers), answers: make(chan *call, l.Callers)}
	for i := range c.calls {
		at := &c.calls[i]
		task := func() {
			l.spend()
			c.answers <- at
		}
		at.submit = bind(task)
		at.probed = bind(func() {
			at.watch.started()
			task()
		})
	}
	return c
}

func (c *connection) Run(ctx context.Context, d time.Duration) (int, time.Duration, error) {
	tasks := 0
	elapsed, err := c.serve(ctx, d, func(at *call) { at.submit() }, func(*call) bool {
		tasks++
		return true
	})
	if err != nil {
		return 0, elapsed, err // the peer may still be counting
	}
	return tasks, elapsed, nil
}

// Latencies drops the first tenth, as the other loads do.
func (c *connection) Latencies(ctx context.Context, samples int, d time.Duration) ([]time.Duration, error) {
	drop := -(samples + 9) / 10
	var all []time.Duration
	submit := func(at *call) {
		at.watch.submitted = now()
		at.probed()
	}
	_, err := c.serve(ctx, d, submit, func(at *call) bool {
		if drop++; drop > 0 && len(all) < samples {
			all = append(all, at.watch.latency)
		}
		return len(all) < samples
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// serve lets the peer call until the time d has passed, or until answered,
// which sees every answer, returns false. It returns when all calls have been
// answered.
func (c *connection) serve(ctx context.Context, d time.Duration, submit func(*call), answered func(*call) bool) (time.Duration, error) {
	c.requests = make(chan *call, len(c.calls))
	stop := new(flag)
	start := time.Now() // before the timer, or less than d may seem to have passed
	timer := time.AfterFunc(d, func() { stop.Store(true) })
	defer timer.Stop()
	var both sync.WaitGroup
	both.Go(func() {
		for at := range c.requests {
			submit(at)
		}
	})
	both.Go(func() { c.call(stop, answered) })
	err := await(ctx, &both)
	elapsed := time.Since(start)
	stop.Store(true)
	if err != nil {
		return elapsed, fmt.Errorf("a task did not end: %w; %w", err, ErrAbandoned)
	}
	return elapsed, nil
}

// call is the peer.
func (c *connection) call(stop *flag, answered func(*call) bool) {
	defer close(c.requests)
	for i := range c.calls {
		c.requests <- &c.calls[i]
	}
	for open := len(c.calls); open > 0; {
		at := <-c.answers
		if more := answered(at); more && !stop.Load() {
			c.requests <- at
		} else {
			open--
		}
	}
}
