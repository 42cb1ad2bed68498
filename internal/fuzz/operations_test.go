package fuzz_test

import (
	"context"
	"fmt"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// start starts a task and reports whether it will run. Tasks call it too. Once one was
// refused, or Shutdown has returned, all are.
func (s *subject) start(byRun bool, task func()) bool {
	counted := func() { s.enter(); task() }
	if byRun {
		s.started.Inc()
		s.pool.Run(counted)
		return true
	}
	refuses := s.refuses.Load()
	err := s.pool.Submit(counted)
	if err == nil {
		s.started.Inc()
		assert.False(s.t, refuses, "accepted after a refusal")
		return true
	}
	assert.ErrorIs(s.t, err, hemlock.ErrClosed)
	assert.True(s.t, s.closing.Load(), "refused by an open pool")
	s.refuses.Store(true)
	return false
}

// end accounts for the end of n tasks.
func (d *driver) end(n int64, how ending) {
	if !d.closed {
		d.model.end(n, how)
	}
}

// doTask starts one task that ends at once. What Submit did is in the counts
// when it returns.
func (d *driver) doTask() {
	how := d.how
	d.start(d.byRun, func() { d.finishTask(how) })
	d.begin(1)
	if d.exact() {
		s := d.pool.Stats()
		require.Equal(d.t, d.stats.Submitted, s.Submitted)
		require.Equal(d.t, d.stats.Spawned, s.Spawned)
		require.Equal(d.t, d.stats.PeakWorkers, s.PeakWorkers)
	}
	d.end(1, how)
}

// doBlock starts tasks that wait until they are released.
func (d *driver) doBlock() {
	b := d.newBatch(int64(d.n + 1))
	for range b.n {
		d.startOf(b)
	}
}

// newBatch accounts for n tasks that will wait for a gate.
func (d *driver) newBatch(n int64) *batch {
	b := &batch{n: n, how: d.how, gate: make(chan struct{}), counted: !d.closed}
	if n > 0 {
		d.batches = append(d.batches, b)
	}
	d.begin(n)
	return b
}

// startOf starts a task of the batch.
func (d *driver) startOf(b *batch) {
	if d.start(d.byRun, func() { b.begun.Inc(); <-b.gate; d.finishTask(b.how) }) {
		b.started++
	}
}

// doRelease lets one batch of waiting tasks go on, all of which have begun.
func (d *driver) doRelease() {
	if len(d.batches) == 0 {
		return
	}
	i := d.n % len(d.batches)
	b := d.batches[i]
	d.batches = append(d.batches[:i], d.batches[i+1:]...)
	if !d.exact() {
		d.eventually("tasks that wait for each other have all begun", func() bool { return b.begun.Load() == b.started })
	}
	close(b.gate)
	switch {
	case b.counted && b.byDo:
		d.model.endDo(b.n, b.how)
	case b.counted:
		d.model.end(b.n, b.how)
	}
}

// doChain starts a task that starts a task, and so on, each waiting for the
// next; all of them run at once.
func (d *driver) doChain() {
	length := int64(d.n%20 + 1)
	how, byRun := d.how, d.byRun
	var link func(left int64)
	link = func(left int64) {
		if left == 1 {
			d.finishTask(how)
			return
		}
		ended := make(chan struct{})
		if d.start(byRun, func() { defer close(ended); link(left - 1) }) {
			<-ended
		}
	}
	d.start(d.byRun, func() { link(length) })
	d.begin(length)
	d.end(length-1, returns)
	d.end(1, how)
}

// doFollowUp starts a task that starts a task, and does not wait for it.
func (d *driver) doFollowUp() {
	how, byRun := d.how, d.byRun
	d.start(byRun, func() {
		d.start(byRun, func() { d.finishTask(how) })
		d.finishTask(how)
	})
	d.begin(2)
	d.end(2, how)
}

// doBurst starts empty tasks without a pause.
func (d *driver) doBurst() { d.shower(int64(d.n+1), 0) }

// doShower does the same, but some of the tasks wait until they are released.
func (d *driver) doShower() { d.shower(int64(d.n), int64(d.n/gap+1)) }

// gap is how many short tasks come before a long one.
const gap = 7

// shower starts short tasks without a pause, and after every few of them a long one. No
// short task waits for a long one, and the long ones do not wait for each other. A worker
// between its task and its place is invisible, so the number of spawns has bounds only.
func (d *driver) shower(short, long int64) {
	idle, before := d.idleRun(), d.stats.Spawned
	b := d.newBatch(long)
	for i := range short + long {
		if long > 0 && (i%(gap+1) == gap || i == short+long-1) {
			d.startOf(b)
		} else {
			d.start(d.byRun, func() {})
		}
	}
	d.settle()
	if !d.exact() || d.closed {
		return
	}
	spawned := d.pool.Stats().Spawned - before
	require.LessOrEqual(d.t, spawned, max(0, short+long-idle), "spawned though a worker was idle")
	require.GreaterOrEqual(d.t, spawned, min(1, max(0, 1-idle)), "not spawned though none was idle")
	d.stats.Submitted += short
	d.stats.Completed += short
	d.spawn(spawned - max(0, long-idle)) // what newBatch did not know of
}

// doAdvance lets time pass: to either side of the killer's next round, or for a
// while.
func (d *driver) doAdvance() {
	while := time.Duration(d.n) * max(d.interval, time.Microsecond) / 4
	switch {
	case !d.exact():
		time.Sleep(min(while, time.Duration(d.n)*20*time.Microsecond))
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

// doTrim calls Trim, in a task if it would start that with Run, and with a context that
// has ended if the task would not return.
func (d *driver) doTrim() {
	ctx, cancel := context.WithTimeout(context.Background(), d.patience)
	defer cancel()
	if d.how != returns {
		cancel()
	}
	begun := time.Now()
	result := make(chan error, 1)
	trim := func() { result <- d.pool.Trim(ctx) }
	if d.byRun {
		d.start(d.byRun, trim)
		d.begin(1)
	} else {
		trim()
	}
	err := <-result
	switch {
	case d.how == returns:
		require.NoError(d.t, err)
	case err != nil:
		require.ErrorIs(d.t, err, context.Canceled)
	}
	goesOn := err != nil // workers are killed beside the task, and its own may be among them
	if d.byRun && goesOn {
		d.end(1, returns)
	}
	if d.exact() {
		require.Zero(d.t, time.Since(begun), "Trim took time")
		d.settle()
		d.model.trim(d.t, d.pool.Stats().Killed-d.stats.Killed, err)
	}
	if d.byRun && !goesOn {
		d.end(1, returns)
	}
}

func (d *driver) doNil() {
	require.ErrorIs(d.t, d.pool.Submit(nil), hemlock.ErrNilTask)
	require.Panics(d.t, func() { d.pool.Run(nil) })
}

// doShutdown gives Shutdown a deadline, now or in a while.
func (d *driver) doShutdown() {
	wait := d.scaled(time.Duration(d.n) * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	begun := time.Now()
	err := d.shutdown(ctx)
	if d.exact() && d.stats.Running == 0 && wait == 0 && err != nil {
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
	if d.exact() {
		require.Equal(d.t, wait, time.Since(begun), "Shutdown took another time")
	}
}

// checkShutdown says what a Shutdown that has ended must have returned.
func (d *driver) checkShutdown(err error) {
	says := "hemlock: shutdown: "
	switch {
	case !d.exact() && err == nil:
		return
	case d.exact() && d.stats.Running == 0:
		require.NoError(d.t, err)
		return
	case d.exact():
		says += fmt.Sprintf("%d task", d.stats.Running)
	}
	require.ErrorIs(d.t, err, context.DeadlineExceeded)
	require.ErrorContains(d.t, err, says)
}

// doWaitForEnd starts a goroutine that waits in a Shutdown without a deadline.
func (d *driver) doWaitForEnd() {
	result := make(chan error, 1)
	d.closing.Store(true)
	go func() {
		err := d.shutdown(context.Background())
		assert.NoError(d.t, err)
		result <- err
	}()
	d.close()
	d.waiting = append(d.waiting, result)
}

// doShutdownInTask has a task call Shutdown, with a deadline: it cannot outwait itself.
func (d *driver) doShutdownInTask() {
	ctx, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	result := make(chan error, 1)
	if !d.start(d.byRun, func() { result <- d.shutdown(ctx) }) {
		return
	}
	d.begin(1)
	err := <-result
	d.checkShutdown(err)
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
	b := d.newBatch(1)
	if d.start(d.byRun, func() {
		b.begun.Inc()
		d.panicked.Inc()
		panic(b.gate)
	}) {
		b.started++
	}
	if b.counted {
		d.stats.Panicked++
	}
}

// nest calls Do of a task that calls Do, and so on, to this depth, and ends the
// last one's task. A panic goes through all around it, and the handler is told once.
func (d *driver) nest(depth int64, how ending) {
	d.started.Inc()
	d.pool.Do(func() {
		d.enter()
		if depth == 1 {
			d.finishTask(how)
			return
		}
		d.nest(depth-1, how)
		assert.Equal(d.t, returns, how, "Do returned from a task that did not")
	})
}

// howDo is how a task of Do may end: not locked to its thread.
func (d *driver) howDo() ending { return min(d.how, exits) }

// accountDo accounts for nested tasks of Do that have ended, and for those
// around them that the pool runs.
func (d *driver) accountDo(depth, around int64, how ending) {
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
	how := d.howDo()
	got := pooltest.Outcome(func() { d.nest(depth, how) })
	switch {
	case how == returns:
		require.Equal(d.t, "returned", got)
	case how == exits || d.exiting:
		require.Equal(d.t, "exited", got)
	default:
		require.Equal(d.t, "fuzz", got)
	}
	d.accountDo(depth, 0, how)
}

// doDoInTask has a task of the pool call Do, nested, and end as it does.
func (d *driver) doDoInTask() {
	depth := int64(d.n%4 + 1)
	how := d.howDo()
	if !d.start(d.byRun, func() { d.nest(depth, how) }) {
		return
	}
	d.begin(1)
	d.settle()
	d.accountDo(depth, 1, how)
}

// doBlockDo calls Do on goroutines of their own, with tasks that wait until they are
// released.
func (d *driver) doBlockDo() {
	b := &batch{n: int64(d.n%8 + 1), how: d.howDo(), gate: make(chan struct{}), counted: !d.closed, byDo: true}
	b.started = b.n
	d.batches = append(d.batches, b)
	d.started.Add(b.n)
	d.model.beginDo(b.n)
	for range b.n {
		go func() {
			defer func() { _ = recover() }()
			d.pool.Do(func() {
				d.enter()
				b.begun.Inc()
				<-b.gate
				d.finishTask(b.how)
			})
		}()
	}
}
