package load

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// between is the pause after a burst.
const between = 5 * time.Millisecond

// Watched is work that also measures delays: of its bystander, or from when a task was
// due until it ended. The second histogram is from when a task was due until it
// started, or nil.
type Watched interface {
	Delays() (delay, start *hdrhistogram.Histogram)
}

// newHistogram returns a histogram for up to 10 s, exact to one percent.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(10*time.Second), 2)
}

// record adds a delay with its weight. A delay that is out of range counts as the
// limit.
func record(h *hdrhistogram.Histogram, d time.Duration, weight int64) {
	_ = h.RecordValues(int64(min(max(d, 0), 10*time.Second)), weight)
}

// burst submits all tasks at once, waits for them, pauses, and does so again,
// beside a bystander.
type burst struct {
	load   *Load
	submit func()
	delays *hdrhistogram.Histogram
	over   chan struct{}
	spent  []time.Duration // by each task beyond its work, if that is asked for

	_       [cacheLines]byte
	started atomic.Int64 // tasks that have taken their place in spent
	pending atomic.Int64 // tasks that have not ended
	_       [cacheLines]byte

	// until is the end of the last burst, and without bound during one. A step that
	// ends now has met a burst if it began no later.
	until atomic.Int64
}

func newBurst(l *Load, bind Bind) *burst {
	b := &burst{load: l, over: make(chan struct{}, 1)}
	task := l.spend
	if l.Bystander == Inside {
		b.spent = make([]time.Duration, l.Batch)
		task = b.timed
	}
	b.submit = bind(func() {
		task()
		if b.pending.Add(-1) == 0 {
			b.until.Store(int64(now()))
			b.over <- struct{}{}
		}
	})
	return b
}

// timed is a task that records how long it took beyond its work.
func (b *burst) timed() {
	start := now()
	b.load.spend()
	end := now()
	b.spent[b.started.Add(1)-1] = end - start - b.load.Work
}

// Run returns the time of the bursts alone.
func (b *burst) Run(ctx context.Context, d time.Duration) (tasks int, elapsed time.Duration, err error) {
	if b.load.Bystander == Inside {
		return b.beside(ctx, d, nil, func() {})
	}
	step, end, err := b.load.Bystander.start()
	if err != nil {
		return 0, 0, err
	}
	return b.beside(ctx, d, step, end)
}

// beside runs the bursts beside a bystander, if there is one, and ends it after its
// last step, which may be after the time limit.
func (b *burst) beside(ctx context.Context, d time.Duration, step func() error, end func()) (int, time.Duration, error) {
	var tasks int
	var elapsed time.Duration
	b.delays = newHistogram()
	b.until.Store(math.MinInt64)
	stop := new(flag)
	var both sync.WaitGroup
	var failed error
	if step != nil {
		if err := step(); err != nil { // the first is not like the others
			end()
			return 0, 0, err
		}
		both.Go(func() { failed = b.watch(step, stop) })
	}
	both.Go(func() {
		defer stop.Store(true)
		for start := now(); ; {
			time.Sleep(between)
			elapsed += b.once()
			tasks += b.load.Batch
			if stop.Load() || now()-start >= d {
				return
			}
		}
	})
	if err := await(ctx, &both); err != nil {
		stop.Store(true)
		go func() {
			both.Wait()
			end()
		}()
		return 0, 0, fmt.Errorf("a task did not end: %w; %w", err, ErrAbandoned)
	}
	end()
	return tasks, elapsed, failed
}

// watch records how long each step of the bystander takes, if a part of the step
// falls into a burst. A step weighs as much as it took, so that a percentile is that
// of a moment, and not of the steps: a bystander that is held up takes few steps. The
// steps of the sleeper weigh the same: it begins one each millisecond, if it is not
// late.
func (b *burst) watch(step func() error, stop *flag) error {
	var own time.Duration
	if b.load.Bystander == Sleeper {
		own = nap
	}
	for !stop.Load() {
		start := now()
		if err := step(); err != nil {
			return err
		}
		end := now()
		if int64(start) <= b.until.Load() {
			weight := int64(end - start)
			if own > 0 {
				weight = 1
			}
			record(b.delays, end-start-own, weight)
		}
	}
	return nil
}

// once runs one burst and returns the time from before the first submission to the
// end of the last task.
func (b *burst) once() time.Duration {
	n, crowd := b.load.Batch, b.load.crowd()
	b.pending.Store(int64(n))
	b.started.Store(0)
	start := now()
	b.until.Store(math.MaxInt64)
	var submitters sync.WaitGroup
	for i := range crowd {
		submitters.Go(func() {
			for range (n + i) / crowd {
				b.submit()
			}
		})
	}
	<-b.over
	submitters.Wait()
	for _, d := range b.spent {
		record(b.delays, d, 1)
	}
	return time.Duration(b.until.Load()) - start
}

// Delays implements [Watched].
func (b *burst) Delays() (delay, start *hdrhistogram.Histogram) { return b.delays, nil }

// Latencies returns none: other loads measure the latency of a start.
func (b *burst) Latencies(context.Context, int, time.Duration) ([]time.Duration, error) {
	return nil, nil
}
