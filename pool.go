package hemlock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/pprof"
	"sync"
	"time"

	"example.com/hemlock/internal/handoff"
	"go.uber.org/atomic"
)

var (
	// ErrClosed is returned by [Pool.Submit] once [Pool.Shutdown] was called.
	ErrClosed = errors.New("hemlock: closed")

	// ErrNilTask is returned by [Pool.Submit] for a nil task.
	ErrNilTask = errors.New("hemlock: nil task")
)

// A Pool runs each task on a goroutine that runs no other task meanwhile, and keeps
// the goroutine for later tasks. A task waits for a processor, never for the end of
// another task. Only Shutdown, Trim and Do block.
//
// Make a Pool with [New]; every method of a zero Pool panics. A Pool must not be
// copied. All methods may be called from any goroutine at any time, also from inside a
// task.
type Pool struct {
	// The 64-bit atomics come first, here and in killer: on 32-bit platforms nothing
	// else aligns them.

	count count // of workers

	// Totals for Stats. Each only rises. Atomics, because any goroutine raises them.
	spawned  atomic.Int64
	recycled atomic.Int64
	panicked atomic.Int64

	killer killer

	// Immutable after New.
	options
	handoff *handoff.Handoff
	drained chan struct{} // closed when the last worker of a closed pool has gone

	closing  sync.Once // guards the work of the first Shutdown
	draining sync.Once // guards the close of drained

	// closed says that no task will be accepted any more. The first Shutdown sets it
	// and then looks at the count of workers. A worker that leaves looks at closed when
	// it is no longer counted. So at least one of them sees the end.
	closed atomic.Bool

	// accepted is how many tasks the pool accepted in its life. It is written before
	// closed is set, and read only after closed was seen.
	accepted uint64
}

// New returns a pool with no worker and no other goroutine. It panics if an
// option is nil or has a negative value.
func New(opts ...Option) *Pool {
	p := &Pool{options: defaults(), drained: make(chan struct{})}
	for _, set := range opts {
		if set == nil {
			panic("hemlock: New with a nil Option")
		}
		set(&p.options)
	}
	p.handoff = handoff.New(p.spawn)
	p.killer.init(p, p.handoff.Clock, &p.options)
	return p
}

// Submit has the task run by a worker: an idle one, one that is about to start, or a
// new one. It never blocks, but where tasks wait for a processor that they cannot have
// otherwise, it yields, as [runtime.Gosched] does. It allocates nothing when a worker
// is idle, except a little after a garbage collection.
//
// Submit returns [ErrNilTask] if task is nil and [ErrClosed] once [Pool.Shutdown] was
// called. A task for which it returned nil runs, even when a Shutdown begins at the
// same moment.
func (p *Pool) Submit(task func()) error {
	p.check()
	switch {
	case task == nil:
		return ErrNilTask
	case !p.handoff.Submit(p.observed(task)):
		return ErrClosed
	}
	return nil
}

// Run starts the task as the statement
//
//	go task()
//
// would: it never blocks and it never fails. Until [Pool.Shutdown] is called it does
// what [Pool.Submit] does. Afterwards the task gets an ordinary goroutine, which no
// count includes and no Shutdown waits for; a panic in it still goes to the handler of
// [WithPanicHandler]. Run(nil) panics.
func (p *Pool) Run(task func()) {
	p.check()
	if task == nil {
		panic("hemlock: Run with a nil task")
	}
	if !p.handoff.Submit(p.observed(task)) {
		go p.alone(task, false)
	}
}

// observed returns the task, or, for one in eight if there is an observer, a task that
// tells it how long it waited.
func (p *Pool) observed(task func()) func() {
	if p.observer == nil || rand.Uint32N(8) != 0 {
		return task
	}
	submitted := p.handoff.Clock()
	return func() {
		p.observer(p.handoff.Clock() - submitted)
		task()
	}
}

// check panics if the pool was not made by New.
func (p *Pool) check() {
	if p == nil || p.handoff == nil {
		panic("hemlock: zero Pool: use New")
	}
}

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
