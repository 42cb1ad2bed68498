package fuzz_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

func TestMain(m *testing.M) { pooltest.Main(m, nil) }

// FuzzPool reads its input as options and a sequence of operations, and does
// them to a pool and to the model. After each the pool comes to rest, and both
// must agree. Letters and digits make readable seeds: see operations.
func FuzzPool(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		synctest.Test(t, func(t *testing.T) {
			newTrial(t, &pooltest.Tape{Rest: input}).run()
		})
	})
}

// ending is how a task ends.
type ending int

const (
	returns ending = iota
	panics
	exits
)

// A group is n tasks that wait for the same gate and then end the same way.
type group struct {
	n       int64
	how     ending
	gate    chan struct{}
	counted bool // the pool accepted them; else they are ordinary goroutines
}

// A trial is one input's life.
type trial struct {
	ran, handled, panicked atomic.Int64 // ordinary goroutines included; first: see killer
	model

	t        *testing.T
	in       *pooltest.Tape
	pool     *hemlock.Pool
	handler  bool
	started  int64 // what ran should be
	groups   []group
	waiting  []chan error // the Shutdowns without a deadline
	byRun    bool         // the operation starts its tasks with Run
	how      ending       // and they end like this
	n        int          // and it has this number to use
	shutDown bool         // the trial ends with Shutdown; else the pool is dropped, if it may be
}

func newTrial(t *testing.T, in *pooltest.Tape) *trial {
	f := &trial{t: t, in: in}
	f.interval = pooltest.Pick(in, time.Second, 0, 1, 3*time.Second, 250*time.Millisecond, time.Hour)
	f.delay = pooltest.Pick(in, 10*time.Second, 0, 1, 2*time.Second, 700*time.Millisecond, time.Hour)
	f.minimum = int64(in.Next('0', 40))
	f.maxTasks = pooltest.Pick[int64](in, 1<<16, 0, 1, 2, 3, 5, 32)
	handler := pooltest.Pick(in, nil, f.handle, func(v any, stack []byte) { f.handle(v, stack); runtime.Goexit() })
	f.handler = handler != nil
	f.shutDown = pooltest.Pick(in, true, false)
	f.pool = hemlock.New(
		hemlock.WithKillInterval(f.interval),
		hemlock.WithKillDelay(f.delay),
		hemlock.WithMinWorkers(int(f.minimum)),
		hemlock.WithMaxTasksPerWorker(int(f.maxTasks)),
		hemlock.WithPanicHandler(handler),
	)
	return f
}

// handle is the panic handler. A gate for a value makes it wait.
func (f *trial) handle(v any, _ []byte) {
	f.handled.Inc()
	if gate, ok := v.(chan struct{}); ok {
		<-gate
	}
}

// operations are what a byte of the input may ask for: 'a' for the first, 'b'
// for the second. Three more bytes say whether its tasks start with Run, how they
// end, and a number: '0' for 0, 'o' for 63.
var operations = []func(*trial){
	(*trial).doTask,           // a
	(*trial).doBlock,          // b
	(*trial).doRelease,        // c
	(*trial).doChain,          // d
	(*trial).doFollowUp,       // e
	(*trial).doBurst,          // f
	(*trial).doAdvance,        // g
	(*trial).doNil,            // h
	(*trial).doShutdown,       // i
	(*trial).doWaitForEnd,     // j
	(*trial).doShutdownInTask, // k
	(*trial).doSlowHandler,    // l
	(*trial).doShower,         // m
}

// most keeps an input from taking seconds.
const most = 60

func (f *trial) run() {
	f.rest()
	for done := 0; done < most && !f.in.Ended(); done++ {
		f.operate()
		f.rest()
	}
	f.finish()
}

// operate does the next operation of the input.
func (f *trial) operate() {
	operation := operations[f.in.Next('a', len(operations))]
	f.byRun = pooltest.Pick(f.in, false, true)
	f.how = pooltest.Pick(f.in, returns, panics, exits)
	if f.how == panics && !f.handler {
		f.how = exits // a panic would end the process
	}
	f.n = f.in.Next('0', 64)
	operation(f)
}

// rest waits until nothing moves, and compares the pool with the model.
func (f *trial) rest() {
	synctest.Wait()
	f.check(f.t, f.pool)
	require.Equal(f.t, f.started, f.ran.Load(), "tasks that ran")
	require.Equal(f.t, f.panicked.Load(), f.handled.Load(), "panics that reached the handler")
	for _, result := range f.waiting {
		f.checkWaiting(result)
	}
	if f.closed && f.stats.Running == 0 {
		f.waiting = nil
	}
}

// checkWaiting looks at a Shutdown without a deadline: it has returned if and
// only if no task runs.
func (f *trial) checkWaiting(result chan error) {
	select {
	case err := <-result:
		require.NoError(f.t, err)
		require.Zero(f.t, f.stats.Running, "Shutdown returned while tasks run")
	default:
		require.NotZero(f.t, f.stats.Running, "Shutdown still waits, for nobody")
	}
}

// finish releases whoever still waits, and ends the pool or has it end itself.
// The bubble fails the test if a goroutine is left.
func (f *trial) finish() {
	for len(f.groups) > 0 {
		f.doRelease()
		f.rest()
	}
	if !f.shutDown && f.interval > 0 && f.minimum == 0 {
		for f.armed() {
			f.advance(time.Until(f.due()))
		}
	} else {
		require.NoError(f.t, f.shutdown(context.Background()))
		f.close()
	}
	f.rest()
	require.Zero(f.t, f.pool.Stats().Workers)
}

// shutdown calls Shutdown, which must not return nil before the last worker has
// gone.
func (f *trial) shutdown(ctx context.Context) error {
	err := f.pool.Shutdown(ctx)
	if err == nil {
		assert.Zero(f.t, f.pool.Stats().Workers, "workers after Shutdown")
	}
	return err
}

// start starts a task and reports whether it will run. Tasks call it too.
func (f *trial) start(task func()) bool {
	counted := func() {
		f.ran.Inc()
		s := f.pool.Stats()
		assert.LessOrEqual(f.t, s.Running, s.Workers)
		assert.LessOrEqual(f.t, s.Completed, s.Submitted)
		assert.True(f.t, f.closed || s.Running > 0, "a task runs and is not counted: %v", s)
		task()
	}
	if f.byRun {
		f.pool.Run(counted)
		return true
	}
	err := f.pool.Submit(counted)
	if f.closed {
		assert.ErrorIs(f.t, err, hemlock.ErrClosed)
	} else {
		assert.NoError(f.t, err)
	}
	return err == nil
}

// begin accounts for n tasks at once, if the pool takes them or Run does.
func (f *trial) begin(n int64) {
	if f.byRun || !f.closed {
		f.started += n
	}
	f.model.begin(n)
}

// end accounts for the end of n tasks.
func (f *trial) end(n int64, how ending) {
	if !f.closed {
		f.model.end(n, how)
	}
}

// finishTask is the last thing that a task does.
func (f *trial) finishTask(how ending) {
	switch how {
	case panics:
		f.panicked.Inc()
		panic("fuzz")
	case exits:
		runtime.Goexit()
	}
}

// doTask starts one task that ends at once. What Submit did is in the counts
// when it returns.
func (f *trial) doTask() {
	how := f.how
	f.start(func() { f.finishTask(how) })
	f.begin(1)
	s := f.pool.Stats()
	require.Equal(f.t, f.stats.Submitted, s.Submitted)
	require.Equal(f.t, f.stats.Spawned, s.Spawned)
	require.Equal(f.t, f.stats.PeakWorkers, s.PeakWorkers)
	f.end(1, how)
}

// doBlock starts tasks that wait until they are released.
func (f *trial) doBlock() {
	g := f.newGroup(int64(f.n + 1))
	for range g.n {
		f.start(func() {
			<-g.gate
			f.finishTask(g.how)
		})
	}
}

// newGroup accounts for n tasks that will wait for a gate.
func (f *trial) newGroup(n int64) group {
	g := group{n: n, how: f.how, gate: make(chan struct{}), counted: !f.closed}
	f.groups = append(f.groups, g)
	f.begin(n)
	return g
}

// doRelease lets one group of waiting tasks go on.
func (f *trial) doRelease() {
	if len(f.groups) == 0 {
		return
	}
	i := f.n % len(f.groups)
	g := f.groups[i]
	f.groups = append(f.groups[:i], f.groups[i+1:]...)
	close(g.gate)
	if g.counted {
		f.model.end(g.n, g.how)
	}
}

// doChain starts a task that starts a task, and so on, each waiting for the
// next; all of them run at once.
func (f *trial) doChain() {
	length := int64(f.n%20 + 1)
	how := f.how
	var link func(left int64)
	link = func(left int64) {
		if left == 1 {
			f.finishTask(how)
			return
		}
		ended := make(chan struct{})
		if f.start(func() { defer close(ended); link(left - 1) }) {
			<-ended
		}
	}
	f.start(func() { link(length) })
	f.begin(length)
	f.end(length-1, returns)
	f.end(1, how)
}

// doFollowUp starts a task that starts a task, and does not wait for it.
func (f *trial) doFollowUp() {
	how := f.how
	f.start(func() {
		f.start(func() { f.finishTask(how) })
		f.finishTask(how)
	})
	f.begin(2)
	f.end(2, how)
}

// doBurst starts empty tasks without a pause. A worker between its task and its
// place is invisible, so the number of spawns has bounds only.
func (f *trial) doBurst() {
	n := int64(f.n + 1)
	for range n {
		f.start(func() {})
	}
	synctest.Wait()
	if f.byRun || !f.closed {
		f.started += n
	}
	if f.closed {
		return
	}
	spawned := f.pool.Stats().Spawned - f.stats.Spawned
	require.LessOrEqual(f.t, spawned, max(0, n-f.idle()), "spawned though a worker was idle")
	require.GreaterOrEqual(f.t, spawned, min(1, max(0, 1-f.idle())), "not spawned though none was idle")
	f.stats.Submitted += n
	f.stats.Completed += n
	f.spawn(spawned)
}

// doShower starts short tasks without a pause, as many as the number says, and
// in their midst as many as there are gaps that wait until they are released: no
// short one waits for them, nor they for each other.
func (f *trial) doShower() {
	const gap = 7
	short, long := int64(f.n), int64(f.n/gap+1)
	idle, before := f.idle(), f.stats.Spawned
	g := f.newGroup(long)
	for i := range short + long {
		if i%(gap+1) == gap || i >= short+long-1 {
			f.start(func() { <-g.gate; f.finishTask(g.how) })
		} else {
			f.start(func() {})
		}
	}
	synctest.Wait()
	if f.byRun || !f.closed {
		f.started += short
	}
	if f.closed {
		return
	}
	spawned := f.pool.Stats().Spawned - before
	require.LessOrEqual(f.t, spawned, max(0, short+long-idle), "spawned though a worker was idle")
	f.stats.Submitted += short
	f.stats.Completed += short
	f.spawn(spawned - max(0, long-idle)) // what newGroup did not know of
}

// doAdvance lets time pass: to either side of the killer's next round, or for a
// while.
func (f *trial) doAdvance() {
	while := time.Duration(f.n) * max(f.interval, time.Microsecond) / 4
	switch {
	case f.byRun:
		f.advance(while)
	case !f.armed():
		f.advance(time.Duration(f.n) * time.Second)
	case f.how == returns:
		f.advance(time.Until(f.due()))
	default:
		f.advance(time.Until(f.due()) - pooltest.Moment)
	}
}

// advance lets time pass, and looks at both sides of each round.
func (f *trial) advance(d time.Duration) {
	until := time.Now().Add(d)
	for f.armed() && !f.due().After(until) {
		pooltest.SleepUntil(f.due().Add(-pooltest.Moment))
		f.rest()
		pooltest.SleepUntil(f.due())
		f.round(f.t, f.pool.Stats().Killed-f.stats.Killed)
		f.rest()
	}
	pooltest.SleepUntil(until)
}

func (f *trial) doNil() {
	require.ErrorIs(f.t, f.pool.Submit(nil), hemlock.ErrNilTask)
	require.Panics(f.t, func() { f.pool.Run(nil) })
}

// doShutdown gives Shutdown a deadline, now or in a while.
func (f *trial) doShutdown() {
	wait := time.Duration(f.n) * time.Second
	begun := time.Now()
	err := f.shutdown(pooltest.EndingIn(f.t, wait))
	if f.stats.Running == 0 && wait == 0 && err != nil {
		// The context had ended before the idle workers could go.
		require.ErrorContains(f.t, err, "hemlock: shutdown: 0 tasks running")
		require.NotZero(f.t, f.idle())
		err = nil
	}
	f.close()
	f.checkShutdown(err)
	if err == nil {
		wait = 0
	}
	require.Equal(f.t, wait, time.Since(begun), "Shutdown took another time")
}

// checkShutdown says what a Shutdown that has ended must have returned.
func (f *trial) checkShutdown(err error) {
	if f.stats.Running == 0 {
		assert.NoError(f.t, err)
		return
	}
	assert.ErrorIs(f.t, err, context.DeadlineExceeded)
	assert.ErrorContains(f.t, err, fmt.Sprintf("hemlock: shutdown: %d task", f.stats.Running))
}

// doWaitForEnd has somebody wait in a Shutdown without a deadline.
func (f *trial) doWaitForEnd() {
	result := make(chan error, 1)
	go func() { result <- f.shutdown(context.Background()) }()
	f.close()
	f.waiting = append(f.waiting, result)
}

// doShutdownInTask has a task call Shutdown, which it cannot outwait.
func (f *trial) doShutdownInTask() {
	result := make(chan error, 1)
	if !f.start(func() { result <- f.pool.Shutdown(pooltest.EndingIn(f.t, 0)) }) {
		return
	}
	f.begin(1)
	synctest.Wait()
	f.checkShutdown(<-result)
	f.end(1, returns)
	f.close()
}

// doSlowHandler starts a task whose panic keeps the handler busy until it is
// released: so long the task is running.
func (f *trial) doSlowHandler() {
	if !f.handler {
		return
	}
	f.how = exits // for the model: it has counted the panic
	g := f.newGroup(1)
	f.start(func() {
		f.panicked.Inc()
		panic(g.gate)
	})
	if g.counted {
		f.stats.Panicked++
	}
}
