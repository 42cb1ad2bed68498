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

// An Option changes a setting of a [Pool]. [New] takes any number of them; of
// two that set the same thing the last one wins.
type Option func(*options)

// WithKillInterval sets how often the killer kills idle workers: every d a sixteenth of
// them, but at least one. The default is one second. With 0 no idle worker is ever
// killed; anything shorter than a microsecond means a microsecond. New panics if d is
// negative.
//
// After the delay of [WithKillDelay], n idle workers are some n * (15/16)^(t/d) at time t,
// and from 31 on they go one by one. So the last of n > 31 goes after about
// (31 + 16 * ln(n/31)) * d.
func WithKillInterval(d time.Duration) Option {
	return func(o *options) {
		o.interval = nonNegative("WithKillInterval", d)
		if d > 0 {
			o.interval = max(d, time.Microsecond) // no timer is finer: the killer would spin
		}
	}
}

// WithKillDelay sets how long the killer waits after a worker was started before it
// kills any: a pool that still grows does not shrink. The default is ten seconds. New
// panics if d is negative.
func WithKillDelay(d time.Duration) Option {
	return func(o *options) { o.delay = nonNegative("WithKillDelay", d) }
}

// WithMinWorkers sets how many workers the killer leaves, those of Do included. The
// default is 0. It binds the killer alone: New starts no worker, and a task that panics
// or calls [runtime.Goexit] ends its worker whatever the minimum. New panics if n is
// negative.
func WithMinWorkers(n int) Option {
	return func(o *options) { o.minimum = int64(nonNegative("WithMinWorkers", n)) }
}

// WithMaxTasksPerWorker sets after how many tasks a worker is replaced by a fresh one,
// so that a stack that one rare task blew up is given back. Each worker draws its own
// limit between three and five quarters of n, so that workers that started together are
// not replaced together. The default is 65,536. With 0 no worker is ever replaced. New
// panics if n is negative. The idea is that of the stream workers of grpc-go.
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
// of the panic and the task's stack, on the goroutine that panicked. The worker ends
// when h returns; until then its task counts as running. Without a handler, or with a
// nil one, or if h panics, the process crashes. h may be called from many goroutines at
// once. After a panic in a task of [Pool.Do], Do panics in the caller when h has
// returned; if h panics or calls [runtime.Goexit], so does Do instead.
func WithPanicHandler(h func(v any, stack []byte)) Option {
	return func(o *options) { o.handler = h }
}

// WithWaitObserver sets a function that is called with how long a task waited from
// [Pool.Submit] or [Pool.Run] until it began, for one task in eight, drawn at random. It
// is called by the task's worker, right before the task, and from many workers at once.
// A call that takes long delays the task, and a panic in it is the task's. An observed
// task allocates. Tasks of [Pool.Do] do not wait. The default is none.
//
// The exporters in metrics have histograms to observe with.
func WithWaitObserver(observe func(wait time.Duration)) Option {
	return func(o *options) { o.observer = observe }
}

// WithName names the pool's workers: each task begins with the profiler label
// "hemlock", and this value, in place of no label, and an idle worker has it. So
// profiles, and the tracebacks of Go 1.27, say whose goroutine it is. With "", which is
// the default, there is no label.
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
