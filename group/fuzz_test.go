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
			newDriver(t, &pooltest.Tape{Rest: input}).run()
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

// A driver is one input's life: the group, and the model of what the
// documentation promises.
type driver struct {
	ran atomic.Int64

	t    *testing.T
	in   *pooltest.Tape
	g    grouper
	ctx  context.Context // nil if the group has none
	pool *hemlock.Pool   // nil if the group has none

	// What the driver must not do: errgroup loses tasks that do not return, and
	// without a handler a panic ends the process.
	exits, panics bool

	// The model.
	limit   int // negative: none
	active  []blocked
	queued  []blocked    // in Go, which blocks
	waiting []chan error // in Wait, which blocks
	failed  bool         // a task has failed
	unknown bool         // and its error is errTask
	err     error        // otherwise it is this; nil while none has failed
	done    bool         // the context has ended
	cause   error        // because of this; nil: errTask
	started int64        // tasks that have begun
	counted int64        // those of them that the pool has accepted
	closed  bool         // the pool is shut down
}

func newDriver(t *testing.T, in *pooltest.Tape) *driver {
	d := &driver{t: t, in: in, limit: -1, exits: true}
	switch in.Next('0', 5) {
	case 0:
		d.g, d.ctx = errgroup.WithContext(t.Context())
		d.exits = false
	case 1:
		d.pool = pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) {}))
		d.g, d.ctx = group.WithContext(t.Context(), d.pool)
		d.panics = true
	case 2:
		d.pool = pooltest.New(t)
		d.g, d.ctx = group.WithContext(t.Context(), d.pool)
	case 3:
		d.pool = pooltest.New(t, hemlock.WithMaxTasksPerWorker(1))
		d.g = group.New(d.pool)
	case 4:
		d.g = new(group.Group)
	}
	return d
}

// operations are what a byte of the input may ask for: 'a' for the first, 'b' for
// the second. One more byte says how a task ends, or is a number: '0' for 0.
var operations = []func(f *driver, n int){
	(*driver).doTask,     // a
	(*driver).doBlock,    // b
	(*driver).doRelease,  // c
	(*driver).doSetLimit, // d
	(*driver).doWait,     // e
	(*driver).doQueue,    // f
	(*driver).doLinger,   // g
	(*driver).doShutdown, // h
}

// most keeps an input from taking seconds.
const most = 60

func (d *driver) run() {
	for done := 0; done < most && !d.in.Ended(); done++ {
		operation := operations[d.in.Next('a', len(operations))]
		operation(d, d.in.Next('0', 60))
		d.rest()
	}
	for len(d.active) > 0 {
		d.doRelease(0)
		d.rest()
	}
	d.doWait(0)
}

// rest waits until nothing moves, and compares the group with the model.
func (d *driver) rest() {
	d.t.Helper()
	synctest.Wait()
	require.Equal(d.t, d.started, d.ran.Load(), "tasks that began")
	if d.pool != nil {
		require.Equal(d.t, d.counted, d.pool.Stats().Submitted, "tasks on the pool")
	}
	for _, result := range d.waiting {
		select {
		case err := <-result:
			require.Empty(d.t, d.active, "Wait returned while tasks are active")
			d.requireErr(err)
		default:
			require.NotEmpty(d.t, d.active, "Wait still waits, and no task is active")
		}
	}
	if len(d.active) == 0 && len(d.waiting) > 0 {
		d.waiting = nil
		d.waited()
	}
	d.checkContext()
}

func (d *driver) checkContext() {
	d.t.Helper()
	switch {
	case d.ctx == nil:
	case !d.done:
		require.NoError(d.t, d.ctx.Err(), "the context ended too early")
	case d.cause == nil:
		require.EqualError(d.t, context.Cause(d.ctx), notReturned)
	default:
		require.Equal(d.t, d.cause, context.Cause(d.ctx))
	}
}

// requireErr checks what a Wait has returned.
func (d *driver) requireErr(err error) {
	d.t.Helper()
	if d.unknown {
		require.EqualError(d.t, err, notReturned)
		return
	}
	require.Equal(d.t, d.err, err)
}

// waited accounts for a Wait that has returned.
func (d *driver) waited() {
	if !d.done {
		d.done, d.cause = true, context.Canceled
	}
}

// ending returns one that this group allows.
func (d *driver) ending(n int) ending {
	how := endings[n%len(endings)]
	if how.stop == nil || d.panics || d.exits && n%len(endings) == 2 {
		return how
	}
	return endings[0]
}

// begin accounts for a task that begins.
func (d *driver) begin() {
	d.started++
	if d.pool != nil && !d.closed {
		d.counted++
	}
}

// end accounts for a task that ends.
func (d *driver) end(how ending) {
	if d.failed || how.stop == nil && how.err == nil {
		return
	}
	d.failed, d.unknown, d.err = true, how.stop != nil, how.err
	if !d.done {
		d.done, d.cause = true, how.err
	}
}

func (d *driver) full() bool { return d.limit >= 0 && len(d.active) >= d.limit }

// doTask tries to start a task that ends at once.
func (d *driver) doTask(n int) {
	how := d.ending(n)
	full := d.full()
	ok := d.g.TryGo(func() error { d.ran.Inc(); return how.do() })
	require.Equal(d.t, !full, ok, "TryGo")
	if ok {
		d.begin()
		d.end(how)
	}
}

// doBlock tries to start a task that waits for its release.
func (d *driver) doBlock(n int) {
	b := blocked{make(chan struct{}), d.ending(n)}
	full := d.full()
	ok := d.g.TryGo(d.task(b))
	require.Equal(d.t, !full, ok, "TryGo")
	if ok {
		d.begin()
		d.active = append(d.active, b)
	}
}

func (d *driver) task(b blocked) func() error {
	return func() error {
		d.ran.Inc()
		<-b.gate
		return b.how.do()
	}
}

// doQueue starts a goroutine that calls Go, which blocks at the limit. No goroutine may
// be in Wait meanwhile, since the group might be empty for a moment.
func (d *driver) doQueue(n int) {
	b := blocked{make(chan struct{}), d.ending(n)}
	switch {
	case !d.full():
		d.g.Go(d.task(b))
		d.begin()
		d.active = append(d.active, b)
	case d.limit > 0 && len(d.waiting) == 0:
		go d.g.Go(d.task(b))
		d.queued = append(d.queued, b)
	}
}

// doRelease has an active task end. Then the first in the queue begins.
func (d *driver) doRelease(n int) {
	if len(d.active) == 0 {
		return
	}
	i := n % len(d.active)
	b := d.active[i]
	d.active = append(d.active[:i:i], d.active[i+1:]...)
	close(b.gate)
	d.end(b.how)
	if len(d.queued) > 0 {
		d.begin()
		d.active = append(d.active, d.queued[0])
		d.queued = d.queued[1:]
	}
}

// doSetLimit sets the limit, or checks that this panics.
func (d *driver) doSetLimit(n int) {
	limit := n%6 - 1
	switch {
	case len(d.active) == 0:
		d.g.SetLimit(limit)
		d.limit = limit
	case d.limit >= 0 && limit >= 0: // others are misuse that goes unseen
		require.Panics(d.t, func() { d.g.SetLimit(limit) })
	}
}

// doWait waits, if that will end.
func (d *driver) doWait(int) {
	if len(d.active) > 0 {
		return
	}
	d.requireErr(d.g.Wait())
	d.waited()
}

// doLinger starts a goroutine that waits.
func (d *driver) doLinger(int) {
	if len(d.queued) > 0 {
		return
	}
	result := make(chan error, 1)
	go func() { result <- d.g.Wait() }()
	d.waiting = append(d.waiting, result)
}

// doShutdown shuts the pool down, and waits for nothing.
func (d *driver) doShutdown(int) {
	if d.pool == nil {
		return
	}
	ctx, cancel := context.WithCancel(d.t.Context())
	cancel()
	_ = d.pool.Shutdown(ctx)
	d.closed = true
}
