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
			newDriver(t, &pooltest.Tape{Rest: input}).run()
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
	counted bool // the pool accepted them; otherwise they are ordinary goroutines
	byDo    bool // they are tasks of Do, each with a caller of its own
}

// A driver is one input's life.
type driver struct {
	ran, handled, panicked atomic.Int64 // ordinary goroutines included; first: see killer
	model

	t        *testing.T
	in       *pooltest.Tape
	pool     *hemlock.Pool
	handler  bool
	exiting  bool  // the handler calls Goexit
	started  int64 // what ran should be
	groups   []group
	waiting  []chan error // the Shutdowns without a deadline
	byRun    bool         // the operation starts its tasks with Run
	how      ending       // and they end like this
	n        int          // and it has this number to use
	shutDown bool         // the driver ends with Shutdown; otherwise the pool is dropped, if it may be
}

func newDriver(t *testing.T, in *pooltest.Tape) *driver {
	d := &driver{t: t, in: in}
	d.interval = pooltest.Pick(in, time.Second, 0, 1, 3*time.Second, 250*time.Millisecond, time.Hour)
	d.delay = pooltest.Pick(in, 10*time.Second, 0, 1, 2*time.Second, 700*time.Millisecond, time.Hour)
	d.minimum = int64(in.Next('0', 40))
	d.maxTasks = pooltest.Pick[int64](in, 1<<16, 0, 1, 2, 3, 5, 32)
	exit := func(v any, stack []byte) { d.handle(v, stack); runtime.Goexit() }
	chosen := in.Next('0', 3)
	handler := []func(any, []byte){nil, d.handle, exit}[chosen]
	d.handler, d.exiting = handler != nil, chosen == 2
	d.shutDown = pooltest.Pick(in, true, false)
	d.pool = hemlock.New(
		hemlock.WithKillInterval(d.interval),
		hemlock.WithKillDelay(d.delay),
		hemlock.WithMinWorkers(int(d.minimum)),
		hemlock.WithMaxTasksPerWorker(int(d.maxTasks)),
		hemlock.WithPanicHandler(handler),
	)
	return d
}

// handle is the panic handler. A gate for a value makes it wait.
func (d *driver) handle(v any, _ []byte) {
	d.handled.Inc()
	if gate, ok := v.(chan struct{}); ok {
		<-gate
	}
}

// operations are what a byte of the input may ask for: 'a' for the first, 'b'
// for the second. Three more bytes say whether its tasks start with Run, how they
// end, and a number: '0' for 0, 'o' for 63.
var operations = []func(*driver){
	(*driver).doTask,           // a
	(*driver).doBlock,          // b
	(*driver).doRelease,        // c
	(*driver).doChain,          // d
	(*driver).doFollowUp,       // e
	(*driver).doBurst,          // f
	(*driver).doAdvance,        // g
	(*driver).doNil,            // h
	(*driver).doShutdown,       // i
	(*driver).doWaitForEnd,     // j
	(*driver).doShutdownInTask, // k
	(*driver).doSlowHandler,    // l
	(*driver).doShower,         // m
	(*driver).doDo,             // n
	(*driver).doDoInTask,       // o
	(*driver).doBlockDo,        // p
}

// most keeps an input from taking seconds.
const most = 60

func (d *driver) run() {
	d.rest()
	for done := 0; done < most && !d.in.Ended(); done++ {
		d.operate()
		d.rest()
	}
	d.finish()
}

// operate does the next operation of the input.
func (d *driver) operate() {
	operation := operations[d.in.Next('a', len(operations))]
	d.byRun = pooltest.Pick(d.in, false, true)
	d.how = pooltest.Pick(d.in, returns, panics, exits)
	if d.how == panics && !d.handler {
		d.how = exits // a panic would end the process
	}
	d.n = d.in.Next('0', 64)
	operation(d)
}

// rest waits until nothing moves, and compares the pool with the model.
func (d *driver) rest() {
	synctest.Wait()
	d.check(d.t, d.pool)
	require.Equal(d.t, d.started, d.ran.Load(), "tasks that ran")
	require.Equal(d.t, d.panicked.Load(), d.handled.Load(), "panics that reached the handler")
	for _, result := range d.waiting {
		d.checkWaiting(result)
	}
	if d.closed && d.stats.Running == 0 {
		d.waiting = nil
	}
}

// checkWaiting looks at a Shutdown without a deadline: it has returned if and
// only if no task runs.
func (d *driver) checkWaiting(result chan error) {
	select {
	case err := <-result:
		require.NoError(d.t, err)
		require.Zero(d.t, d.stats.Running, "Shutdown returned while tasks run")
	default:
		require.NotZero(d.t, d.stats.Running, "Shutdown still waits, and no task runs")
	}
}

// finish releases all tasks that still wait, and ends the pool or has it end itself.
// The bubble fails the test if a goroutine is left.
func (d *driver) finish() {
	for len(d.groups) > 0 {
		d.doRelease()
		d.rest()
	}
	if !d.shutDown && d.interval > 0 && d.minimum == 0 {
		for d.armed() {
			d.advance(time.Until(d.due()))
		}
	} else {
		require.NoError(d.t, d.shutdown(context.Background()))
		d.close()
	}
	d.rest()
	require.Zero(d.t, d.pool.Stats().Workers)
}

// shutdown calls Shutdown, which must not return nil before the last worker has
// gone.
func (d *driver) shutdown(ctx context.Context) error {
	err := d.pool.Shutdown(ctx)
	if err == nil {
		assert.Zero(d.t, d.pool.Stats().Workers, "workers after Shutdown")
	}
	return err
}

// start starts a task and reports whether it will run. Tasks call it too.
func (d *driver) start(task func()) bool {
	counted := func() {
		d.ran.Inc()
		s := d.pool.Stats()
		assert.LessOrEqual(d.t, s.Running, s.Workers)
		assert.LessOrEqual(d.t, s.Completed, s.Submitted)
		assert.True(d.t, d.closed || s.Running > 0, "a task runs and is not counted: %v", s)
		task()
	}
	if d.byRun {
		d.pool.Run(counted)
		return true
	}
	err := d.pool.Submit(counted)
	if d.closed {
		assert.ErrorIs(d.t, err, hemlock.ErrClosed)
	} else {
		assert.NoError(d.t, err)
	}
	return err == nil
}

// begin accounts for n tasks at once, if the pool takes them or Run does.
func (d *driver) begin(n int64) {
	if d.byRun || !d.closed {
		d.started += n
	}
	d.model.begin(n)
}

// end accounts for the end of n tasks.
func (d *driver) end(n int64, how ending) {
	if !d.closed {
		d.model.end(n, how)
	}
}

// finishTask is the last thing that a task does.
func (d *driver) finishTask(how ending) {
	switch how {
	case panics:
		d.panicked.Inc()
		panic("fuzz")
	case exits:
		runtime.Goexit()
	}
}

// doTask starts one task that ends at once. What Submit did is in the counts
// when it returns.
func (d *driver) doTask() {
	how := d.how
	d.start(func() { d.finishTask(how) })
	d.begin(1)
	s := d.pool.Stats()
	require.Equal(d.t, d.stats.Submitted, s.Submitted)
	require.Equal(d.t, d.stats.Spawned, s.Spawned)
	require.Equal(d.t, d.stats.PeakWorkers, s.PeakWorkers)
	d.end(1, how)
}

// doBlock starts tasks that wait until they are released.
func (d *driver) doBlock() {
	g := d.newGroup(int64(d.n + 1))
	for range g.n {
		d.start(func() {
			<-g.gate
			d.finishTask(g.how)
		})
	}
}

// newGroup accounts for n tasks that will wait for a gate.
func (d *driver) newGroup(n int64) group {
	g := group{n: n, how: d.how, gate: make(chan struct{}), counted: !d.closed}
	d.groups = append(d.groups, g)
	d.begin(n)
	return g
}

// doRelease lets one group of waiting tasks go on.
func (d *driver) doRelease() {
	if len(d.groups) == 0 {
		return
	}
	i := d.n % len(d.groups)
	g := d.groups[i]
	d.groups = append(d.groups[:i], d.groups[i+1:]...)
	close(g.gate)
	switch {
	case g.counted && g.byDo:
		d.model.endDo(g.n, g.how)
	case g.counted:
		d.model.end(g.n, g.how)
	}
}

// doChain starts a task that starts a task, and so on, each waiting for the
// next; all of them run at once.
func (d *driver) doChain() {
	length := int64(d.n%20 + 1)
	how := d.how
	var link func(left int64)
	link = func(left int64) {
		if left == 1 {
			d.finishTask(how)
			return
		}
		ended := make(chan struct{})
		if d.start(func() { defer close(ended); link(left - 1) }) {
			<-ended
		}
	}
	d.start(func() { link(length) })
	d.begin(length)
	d.end(length-1, returns)
	d.end(1, how)
}

// doFollowUp starts a task that starts a task, and does not wait for it.
func (d *driver) doFollowUp() {
	how := d.how
	d.start(func() {
		d.start(func() { d.finishTask(how) })
		d.finishTask(how)
	})
	d.begin(2)
	d.end(2, how)
}

// doBurst starts empty tasks without a pause. A worker between its task and its
// place is invisible, so the number of spawns has bounds only.
func (d *driver) doBurst() {
	n := int64(d.n + 1)
	for range n {
		d.start(func() {})
	}
	synctest.Wait()
	if d.byRun || !d.closed {
		d.started += n
	}
	if d.closed {
		return
	}
	spawned := d.pool.Stats().Spawned - d.stats.Spawned
	require.LessOrEqual(d.t, spawned, max(0, n-d.idleRun()), "spawned though a worker was idle")
	require.GreaterOrEqual(d.t, spawned, min(1, max(0, 1-d.idleRun())), "not spawned though none was idle")
	d.stats.Submitted += n
	d.stats.Completed += n
	d.spawn(spawned)
}

// doShower starts short tasks without a pause, as many as the number says. After every
// few of them it starts one that waits until it is released. No short task waits for
// such a task, and such tasks do not wait for each other.
func (d *driver) doShower() {
	const gap = 7
	short, long := int64(d.n), int64(d.n/gap+1)
	idle, before := d.idleRun(), d.stats.Spawned
	g := d.newGroup(long)
	for i := range short + long {
		if i%(gap+1) == gap || i >= short+long-1 {
			d.start(func() { <-g.gate; d.finishTask(g.how) })
		} else {
			d.start(func() {})
		}
	}
	synctest.Wait()
	if d.byRun || !d.closed {
		d.started += short
	}
	if d.closed {
		return
	}
	spawned := d.pool.Stats().Spawned - before
	require.LessOrEqual(d.t, spawned, max(0, short+long-idle), "spawned though a worker was idle")
	d.stats.Submitted += short
	d.stats.Completed += short
	d.spawn(spawned - max(0, long-idle)) // what newGroup did not know of
}

// doAdvance lets time pass: to either side of the killer's next round, or for a
// while.
func (d *driver) doAdvance() {
	while := time.Duration(d.n) * max(d.interval, time.Microsecond) / 4
	switch {
	case d.byRun:
		d.advance(while)
	case !d.armed():
		d.advance(time.Duration(d.n) * time.Second)
	case d.how == returns:
		d.advance(time.Until(d.due()))
	default:
		d.advance(time.Until(d.due()) - pooltest.Moment)
	}
}

// advance lets time pass, and looks at both sides of each round.
func (d *driver) advance(by time.Duration) {
	until := time.Now().Add(by)
	for d.armed() && !d.due().After(until) {
		pooltest.SleepUntil(d.due().Add(-pooltest.Moment))
		d.rest()
		pooltest.SleepUntil(d.due())
		d.round(d.t, d.pool.Stats().Killed-d.stats.Killed)
		d.rest()
	}
	pooltest.SleepUntil(until)
}

func (d *driver) doNil() {
	require.ErrorIs(d.t, d.pool.Submit(nil), hemlock.ErrNilTask)
	require.Panics(d.t, func() { d.pool.Run(nil) })
}

// doShutdown gives Shutdown a deadline, now or in a while.
func (d *driver) doShutdown() {
	wait := time.Duration(d.n) * time.Second
	begun := time.Now()
	err := d.shutdown(pooltest.EndingIn(d.t, wait))
	if d.stats.Running == 0 && wait == 0 && err != nil {
		// The context had ended before the idle workers could go.
		require.ErrorContains(d.t, err, "hemlock: shutdown: 0 tasks running")
		require.NotZero(d.t, d.idle())
		err = nil
	}
	d.close()
	d.checkShutdown(err)
	if err == nil {
		wait = 0
	}
	require.Equal(d.t, wait, time.Since(begun), "Shutdown took another time")
}

// checkShutdown says what a Shutdown that has ended must have returned.
func (d *driver) checkShutdown(err error) {
	if d.stats.Running == 0 {
		assert.NoError(d.t, err)
		return
	}
	assert.ErrorIs(d.t, err, context.DeadlineExceeded)
	assert.ErrorContains(d.t, err, fmt.Sprintf("hemlock: shutdown: %d task", d.stats.Running))
}

// doWaitForEnd starts a goroutine that waits in a Shutdown without a deadline.
func (d *driver) doWaitForEnd() {
	result := make(chan error, 1)
	go func() { result <- d.shutdown(context.Background()) }()
	d.close()
	d.waiting = append(d.waiting, result)
}

// doShutdownInTask has a task call Shutdown, with a deadline: it cannot outwait itself.
func (d *driver) doShutdownInTask() {
	result := make(chan error, 1)
	if !d.start(func() { result <- d.pool.Shutdown(pooltest.EndingIn(d.t, 0)) }) {
		return
	}
	d.begin(1)
	synctest.Wait()
	d.checkShutdown(<-result)
	d.end(1, returns)
	d.close()
}

// doSlowHandler starts a task whose panic keeps the handler busy until it is released.
// Until then the task counts as running.
func (d *driver) doSlowHandler() {
	if !d.handler {
		return
	}
	d.how = exits // for the model: it has counted the panic
	g := d.newGroup(1)
	d.start(func() {
		d.panicked.Inc()
		panic(g.gate)
	})
	if g.counted {
		d.stats.Panicked++
	}
}

// nest calls Do of a task that calls Do, and so on, to this depth, and ends the
// last one's task.
func (d *driver) nest(depth int64, how ending) {
	d.pool.Do(func() {
		d.ran.Inc()
		s := d.pool.Stats()
		assert.LessOrEqual(d.t, s.Running, s.Workers)
		assert.True(d.t, d.closed || s.Running > 0, "a task of Do runs and is not counted: %v", s)
		if depth == 1 {
			endDoTask(how)
			return
		}
		d.nest(depth-1, how)
		assert.Equal(d.t, returns, how, "Do returned from a task that did not")
	})
}

// endDoTask ends a task of Do. Its panic goes through all around it, and the
// handler is told once.
func endDoTask(how ending) {
	switch how {
	case panics:
		panic("fuzz")
	case exits:
		runtime.Goexit()
	}
}

// accountDo accounts for nested tasks of Do that have ended, and for those
// around them that the pool runs.
func (d *driver) accountDo(depth, around int64, how ending) {
	d.started += depth
	if how == panics {
		d.panicked.Inc()
	}
	d.model.beginDo(depth)
	if d.closed {
		return
	}
	d.model.endDo(1, how)
	if how == panics {
		how = exits // for the model: the handler is told of the innermost
	}
	d.model.endDo(depth-1, how)
	d.model.end(around, how)
}

// doDo calls Do on a goroutine of its own, nested.
func (d *driver) doDo() {
	depth := int64(d.n%4 + 1)
	how := d.how
	result := make(chan any, 1)
	go func() {
		returned := false
		defer func() {
			v := recover()
			if v == nil && !returned {
				v = exits
			}
			result <- v
		}()
		d.nest(depth, how)
		returned = true
	}()
	got := <-result
	switch {
	case how == returns:
		require.Nil(d.t, got)
	case how == exits || d.exiting:
		require.Equal(d.t, exits, got)
	default:
		require.Equal(d.t, "fuzz", got)
	}
	d.accountDo(depth, 0, how)
}

// doDoInTask has a task of the pool call Do, nested, and end as it does.
func (d *driver) doDoInTask() {
	depth := int64(d.n%4 + 1)
	how := d.how
	if !d.start(func() { d.nest(depth, how) }) {
		return
	}
	d.begin(1)
	synctest.Wait()
	d.accountDo(depth, 1, how)
}

// doBlockDo calls Do on goroutines of their own, with tasks that wait until they are
// released.
func (d *driver) doBlockDo() {
	g := group{n: int64(d.n%8 + 1), how: d.how, gate: make(chan struct{}), counted: !d.closed, byDo: true}
	d.groups = append(d.groups, g)
	d.started += g.n
	d.model.beginDo(g.n)
	for range g.n {
		go func() {
			defer func() { _ = recover() }()
			d.pool.Do(func() {
				d.ran.Inc()
				<-g.gate
				d.finishTask(g.how)
			})
		}()
	}
}
