package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrAbandoned says that callers are stuck in the pool, or wait for tasks that it
// has lost. The pool must not be closed: a caller may return and submit again, and
// some pools panic then.
var ErrAbandoned = errors.New("the pool is abandoned")

// grace is how long tasks may take to end once they have been released.
const grace = time.Second

// Bind returns a function that submits the task to the pool under test.
type Bind = func(task func()) (submit func())

// Work is a load at one pool.
type Work interface {
	// Run keeps the pool busy for the time d and returns how many tasks have
	// ended and how long it took until the last of them had. It returns an error
	// when ctx ends first.
	Run(ctx context.Context, d time.Duration) (tasks int, elapsed time.Duration, err error)

	// Latencies returns about as many times as samples says, each from the
	// submission of a task to its first instruction, or fewer after the time d.
	Latencies(ctx context.Context, samples int, d time.Duration) ([]time.Duration, error)
}

// At returns the load's work at the pool. What callers and tasks need is made before
// the clock starts.
func (l Load) At(bind Bind) Work {
	l.rounds = rounds(l.Work)
	switch {
	case l.Storm > 0:
		return newStorm(&l, bind)
	case l.Reader:
		return newConnection(&l, bind)
	case l.Rate > 0:
		return newSchedule(&l, bind)
	case l.Bystander != "":
		return newBurst(&l, bind)
	}
	c := &crew{load: &l, callers: make([]caller, l.crowd())}
	for i := range c.callers {
		c.callers[i] = newCaller(&l, bind)
	}
	return c
}

// A crew is the callers of a load.
type crew struct {
	load    *Load
	callers []caller
}

func (c *crew) Run(ctx context.Context, d time.Duration) (int, time.Duration, error) {
	var total atomic.Int64
	elapsed, err := c.together(ctx, d, func(at caller, stop *flag) {
		tasks := at.turn(stop) // on a busy machine the time may be up at once
		for !c.load.Once() && !stop.Load() {
			tasks += at.turn(stop)
		}
		total.Add(int64(tasks))
	})
	return int(total.Load()), elapsed, err
}

// Latencies lets every caller do a tenth more than samples asks for, and drops the
// first tenth: the first tasks of a fresh pool say nothing about a warm one. A load
// on a cold pool has no others. A load that never waits has no latencies.
func (c *crew) Latencies(ctx context.Context, samples int, d time.Duration) ([]time.Duration, error) {
	if c.load.Batch == Never {
		return nil, nil
	}
	share := max(1, samples/(len(c.callers)*c.load.Batch))
	drop := (share + 9) / 10
	if c.load.Once() {
		share, drop = 1, 0
	}
	var mu sync.Mutex
	var all []time.Duration
	_, err := c.together(ctx, d, func(at caller, stop *flag) {
		own := make([]time.Duration, 0, share*c.load.Batch)
		for range drop {
			if !stop.Load() {
				at.probe()
			}
		}
		for turn := 0; turn < share && (turn == 0 || !stop.Load()); turn++ {
			own = append(own, at.probe()...)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, own...)
	})
	return all, err
}

// together runs the body for every caller, tells them to stop after the time d,
// and returns how long it took from the first turn to the end of the last.
func (c *crew) together(ctx context.Context, d time.Duration, body func(caller, *flag)) (time.Duration, error) {
	stop := new(flag)
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(len(c.callers))
	for _, at := range c.callers {
		done.Go(func() {
			ready.Done()
			<-begin
			body(at, stop)
		})
	}
	ready.Wait()
	start := time.Now()
	timer := time.AfterFunc(d, func() { stop.Store(true) })
	defer timer.Stop()
	close(begin)
	err := await(ctx, &done)
	elapsed := time.Since(start)
	stop.Store(true)
	if err != nil {
		return elapsed, fmt.Errorf("a task did not end: %w; %w", err, ErrAbandoned)
	}
	return elapsed, nil
}

// await waits for the group until ctx ends.
func await(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// relent waits for the group for a moment after ctx has ended, now that the tasks
// have been released. It returns the error to report.
func relent(ctx context.Context, group *sync.WaitGroup, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if await(ctx, group) != nil {
		return fmt.Errorf("%w; %w", err, ErrAbandoned)
	}
	return err
}
