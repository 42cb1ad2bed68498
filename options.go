package hemlock

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/pprof"
	"time"
)

type options struct {
	interval time.Duration
	delay    time.Duration
	minimum  int64
	maxTasks uint64
	handler  func(v any, stack []byte)
	observer func(wait time.Duration)

	// labels are the profiler labels with which each task begins.
	labels context.Context
}

func defaults() options {
	return options{
		interval: time.Second,
		delay:    10 * time.Second,
		maxTasks: 1 << 16,
		labels:   context.Background(),
	}
}

// An Option changes a setting of a [Pool]. Of two that set the same thing the last one
// wins.
type Option func(*options)

// WithKillInterval sets how often the killer kills idle workers: every d a sixteenth
// of them, but at least one. The default is one second. With 0 no idle worker is ever
// killed; anything shorter than a microsecond means a microsecond.
func WithKillInterval(d time.Duration) Option {
	return func(o *options) {
		o.interval = nonNegative("WithKillInterval", d)
		if d > 0 {
			o.interval = max(d, time.Microsecond) // no timer is finer: the killer would spin
		}
	}
}

// WithKillDelay sets for how long after the start of a worker the killer kills none: a
// pool that still grows does not shrink. The default is ten seconds.
func WithKillDelay(d time.Duration) Option {
	return func(o *options) { o.delay = nonNegative("WithKillDelay", d) }
}

// WithMinWorkers sets how many workers the killer leaves, those of Do included. The
// default is 0. It binds the killer and Trim alone: New starts no worker, and a task that
// panics or calls [runtime.Goexit] ends its worker whatever the minimum.
func WithMinWorkers(n int) Option {
	return func(o *options) { o.minimum = int64(nonNegative("WithMinWorkers", n)) }
}

// WithMaxTasksPerWorker sets after how many tasks a worker is replaced by a fresh one,
// so that a stack that one rare task blew up is given back, as grpc-go's stream
// workers do it. Each worker draws its own limit between three and five quarters of n.
// The default is 65,536. With 0 no worker is ever replaced.
func WithMaxTasksPerWorker(n int) Option {
	return func(o *options) { o.maxTasks = uint64(nonNegative("WithMaxTasksPerWorker", n)) }
}

// limit draws how many tasks a worker may run: the maximum plus or minus up to a
// quarter. In uint64 the largest int does not overflow.
func (o *options) limit() uint64 {
	if o.maxTasks == 0 {
		return math.MaxUint64
	}
	return o.maxTasks - o.maxTasks/4 + rand.Uint64N(o.maxTasks/4*2+1)
}

// WithPanicHandler sets the function that is called when a task panics, with the value
// of the panic and the task's stack, on the goroutine that panicked, and from many at
// once. The worker ends when h returns; until then its task counts as running. Without
// a handler, or if h panics, the process crashes. After a panic in a task of
// [Pool.Do], Do panics when h has returned; if h panics or calls [runtime.Goexit], so
// does Do instead.
func WithPanicHandler(h func(v any, stack []byte)) Option {
	return func(o *options) { o.handler = h }
}

// WithWaitObserver sets a function that is told how long a task waited from
// [Pool.Submit] or [Pool.Run] until it began, for one task in eight, drawn at random.
// The task's worker calls it right before the task, so a call that takes long delays
// the task, and a panic in it is the task's. An observed task allocates. The exporters
// in metrics have histograms to observe with.
func WithWaitObserver(observe func(wait time.Duration)) Option {
	return func(o *options) { o.observer = observe }
}

// WithName sets the profiler label "hemlock" of idle workers, and with which each task
// begins. So profiles, and the tracebacks of Go 1.27, say whose goroutine it is. With
// "", the default, there is none.
func WithName(name string) Option {
	return func(o *options) {
		o.labels = context.Background()
		if name != "" {
			o.labels = pprof.WithLabels(o.labels, pprof.Labels("hemlock", name))
		}
	}
}

func nonNegative[T int | time.Duration](option string, v T) T {
	if v < 0 {
		panic(fmt.Sprintf("hemlock: %s(%v): must not be negative", option, v))
	}
	return v
}
