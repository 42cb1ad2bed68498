package group_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// FuzzGroup reads its input as a kind of group and a sequence of operations, and
// does them to the group and to a model. After each operation all goroutines come
// to rest, and both must agree. Letters and digits make readable seeds: see
// operations. One kind is errgroup, which the model must fit as well.
func FuzzGroup(f *testing.F) {
	for _, seed := range []string{
		"1a0a1a2e",             // ends of all kinds
		"1d2b0b0b0c0b0c0c0c0e", // at the limit
		"1d1b0f0f0f0c0c0c0c0e", // Go blocks
		"1b0b1g0c0c0e0a1e0",    // Wait waits
		"1b0h0a0a1a2b0c0c0e0",  // the pool is shut down midway
		"2a0a3a2e0a1e0",        // no handler
		"3b0a1d0e0c0e0",        // no context
		"4b0a3a0c0e0d0b0d3b0e", // zero
		"0b0a1d2b0b0b0f0c0c0e", // errgroup
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		synctest.Test(t, func(t *testing.T) {
			newTrial(t, &pooltest.Tape{Rest: input}).run()
		})
	})
}

// An ending is how a task ends: what it returns, or what it does instead.
type ending struct {
	err  error
	stop func()
}

var (
	errFirst  = errors.New("first")
	errSecond = errors.New("second")
	endings   = []ending{
		{},                               // 0
		{err: errFirst},                  // 1
		{stop: runtime.Goexit},           // 2
		{err: errSecond},                 // 3
		{stop: func() { panic("fuzz") }}, // 4
		{stop: func() { defer func() { panic("fuzz") }(); panic("old") }}, // 5
	}
)

// do ends the task that calls it.
func (e ending) do() error {
	if e.stop != nil {
		e.stop()
	}
	return e.err
}

// A blocked task waits at its gate, then ends.
type blocked struct {
	gate chan struct{}
	how  ending
}

// A trial is one input's life: the group, and the model of what the
// documentation promises.
type trial struct {
	ran atomic.Int64

	t    *testing.T
	in   *pooltest.Tape
	g    grouper
	ctx  context.Context // nil if the group has none
	pool *hemlock.Pool   // nil if the group has none

	// What the trial must not do: errgroup loses tasks that do not return, and
	// without a handler a panic ends the process.
	exits, panics bool

	// The model.
	limit   int // negative: none
	active  []blocked
	queued  []blocked    // in Go, which blocks
	waiting []chan error // in Wait, which blocks
	failed  bool         // a task has failed
	unknown bool         // and its error is errTask
	err     error        // else it is this; nil while none has failed
	done    bool         // the context has ended
	cause   error        // because of this; nil: errTask
	started int64        // tasks that have begun
	counted int64        // those of them that the pool has accepted
	closed  bool         // the pool is shut down
}

func newTrial(t *testing.T, in *pooltest.Tape) *trial {
	f := &trial{t: t, in: in, limit: -1, exits: true}
	switch in.Next('0', 5) {
	case 0:
		f.g, f.ctx = errgroup.WithContext(t.Context())
		f.exits = false
	case 1:
		f.pool = pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) {}))
		f.g, f.ctx = group.WithContext(t.Context(), f.pool)
		f.panics = true
	case 2:
		f.pool = pooltest.New(t)
		f.g, f.ctx = group.WithContext(t.Context(), f.pool)
	case 3:
		f.pool = pooltest.New(t, hemlock.WithMaxTasksPerWorker(1))
		f.g = group.New(f.pool)
	case 4:
		f.g = new(group.Group)
	}
	return f
}

// operations are what a byte of the input may ask for: 'a' for the first, 'b' for
// the second. One more byte says how a task ends, or is a number: '0' for 0.
var operations = []func(f *trial, n int){
	(*trial).doTask,     // a
	(*trial).doBlock,    // b
	(*trial).doRelease,  // c
	(*trial).doSetLimit, // d
	(*trial).doWait,     // e
	(*trial).doQueue,    // f
	(*trial).doLinger,   // g
	(*trial).doShutdown, // h
}

// most keeps an input from taking seconds.
const most = 60

func (f *trial) run() {
	for done := 0; done < most && !f.in.Ended(); done++ {
		operation := operations[f.in.Next('a', len(operations))]
		operation(f, f.in.Next('0', 60))
		f.rest()
	}
	for len(f.active) > 0 {
		f.doRelease(0)
		f.rest()
	}
	f.doWait(0)
}

// rest waits until nothing moves, and compares the group with the model.
func (f *trial) rest() {
	f.t.Helper()
	synctest.Wait()
	require.Equal(f.t, f.started, f.ran.Load(), "tasks that began")
	if f.pool != nil {
		require.Equal(f.t, f.counted, f.pool.Stats().Submitted, "tasks on the pool")
	}
	for _, result := range f.waiting {
		select {
		case err := <-result:
			require.Empty(f.t, f.active, "Wait returned while tasks are active")
			f.requireErr(err)
		default:
			require.NotEmpty(f.t, f.active, "Wait still waits, for nobody")
		}
	}
	if len(f.active) == 0 && len(f.waiting) > 0 {
		f.waiting = nil
		f.waited()
	}
	f.checkContext()
}

func (f *trial) checkContext() {
	f.t.Helper()
	switch {
	case f.ctx == nil:
	case !f.done:
		require.NoError(f.t, f.ctx.Err(), "the context ended too early")
	case f.cause == nil:
		require.EqualError(f.t, context.Cause(f.ctx), notReturned)
	default:
		require.Equal(f.t, f.cause, context.Cause(f.ctx))
	}
}

// requireErr checks what a Wait has returned.
func (f *trial) requireErr(err error) {
	f.t.Helper()
	if f.unknown {
		require.EqualError(f.t, err, notReturned)
		return
	}
	require.Equal(f.t, f.err, err)
}

// waited accounts for a Wait that has returned.
func (f *trial) waited() {
	if !f.done {
		f.done, f.cause = true, context.Canceled
	}
}

// ending returns one that this group allows.
func (f *trial) ending(n int) ending {
	how := endings[n%len(endings)]
	if how.stop == nil || f.panics || f.exits && n%len(endings) == 2 {
		return how
	}
	return endings[0]
}

// begin accounts for a task that begins.
func (f *trial) begin() {
	f.started++
	if f.pool != nil && !f.closed {
		f.counted++
	}
}

// end accounts for a task that ends.
func (f *trial) end(how ending) {
	if f.failed || how.stop == nil && how.err == nil {
		return
	}
	f.failed, f.unknown, f.err = true, how.stop != nil, how.err
	if !f.done {
		f.done, f.cause = true, how.err
	}
}

func (f *trial) full() bool { return f.limit >= 0 && len(f.active) >= f.limit }

// doTask tries to start a task that ends at once.
func (f *trial) doTask(n int) {
	how := f.ending(n)
	full := f.full()
	ok := f.g.TryGo(func() error { f.ran.Inc(); return how.do() })
	require.Equal(f.t, !full, ok, "TryGo")
	if ok {
		f.begin()
		f.end(how)
	}
}

// doBlock tries to start a task that waits for its release.
func (f *trial) doBlock(n int) {
	b := blocked{make(chan struct{}), f.ending(n)}
	full := f.full()
	ok := f.g.TryGo(f.task(b))
	require.Equal(f.t, !full, ok, "TryGo")
	if ok {
		f.begin()
		f.active = append(f.active, b)
	}
}

func (f *trial) task(b blocked) func() error {
	return func() error {
		f.ran.Inc()
		<-b.gate
		return b.how.do()
	}
}

// doQueue has somebody start a task with Go, which blocks at the limit. Nobody
// may wait meanwhile, since the group might be empty for a moment.
func (f *trial) doQueue(n int) {
	b := blocked{make(chan struct{}), f.ending(n)}
	switch {
	case !f.full():
		f.g.Go(f.task(b))
		f.begin()
		f.active = append(f.active, b)
	case f.limit > 0 && len(f.waiting) == 0:
		go f.g.Go(f.task(b))
		f.queued = append(f.queued, b)
	}
}

// doRelease has an active task end. Then the first in the queue begins.
func (f *trial) doRelease(n int) {
	if len(f.active) == 0 {
		return
	}
	i := n % len(f.active)
	b := f.active[i]
	f.active = append(f.active[:i:i], f.active[i+1:]...)
	close(b.gate)
	f.end(b.how)
	if len(f.queued) > 0 {
		f.begin()
		f.active = append(f.active, f.queued[0])
		f.queued = f.queued[1:]
	}
}

// doSetLimit sets the limit, or sees that this panics.
func (f *trial) doSetLimit(n int) {
	limit := n%6 - 1
	switch {
	case len(f.active) == 0:
		f.g.SetLimit(limit)
		f.limit = limit
	case f.limit >= 0 && limit >= 0: // others are misuse that goes unseen
		require.Panics(f.t, func() { f.g.SetLimit(limit) })
	}
}

// doWait waits, if that will end.
func (f *trial) doWait(int) {
	if len(f.active) > 0 {
		return
	}
	f.requireErr(f.g.Wait())
	f.waited()
}

// doLinger has somebody wait.
func (f *trial) doLinger(int) {
	if len(f.queued) > 0 {
		return
	}
	result := make(chan error, 1)
	go func() { result <- f.g.Wait() }()
	f.waiting = append(f.waiting, result)
}

// doShutdown shuts the pool down, and waits for nothing.
func (f *trial) doShutdown(int) {
	if f.pool == nil {
		return
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	cancel()
	_ = f.pool.Shutdown(ctx)
	f.closed = true
}
