// Package fuzz_test does random operations to pools: in a bubble one after the other,
// where a model says what must be seen (FuzzPool), and in real time all at once, where
// what is left at the end is (TestSoak). It also does the same few operations to many
// fresh pools: see fresh.
package fuzz_test

import (
	"context"
	"math/rand/v2"
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
func FuzzPool(f *testing.F) { f.Fuzz(drive) }

// TestRandomOperations does the same for some random inputs.
func TestRandomOperations(t *testing.T) {
	for range pooltest.Scaled(3000) {
		input := randomTape(rand.New(rand.NewPCG(rand.Uint64(), 0)), "abcdefghijklmnopqrrrrssstuw", most, 64)
		if !t.Run("", func(t *testing.T) { drive(t, input) }) {
			return
		}
	}
}

func drive(t *testing.T, input []byte) {
	t.Logf("input: %q", input)
	synctest.Test(t, func(t *testing.T) {
		s, in := newSubject(t, input, 1)
		s.newDriver(in).run()
	})
}

// randomTape returns options, and at most so many operations of these kinds with numbers
// below n.
func randomTape(random *rand.Rand, kinds string, most, n int) []byte {
	var tape []byte
	for _, choices := range []int{6, 6, 40, 7, 3, 2} {
		tape = append(tape, '0'+byte(random.IntN(choices)))
	}
	for range 1 + random.IntN(most) {
		tape = append(tape, kinds[random.IntN(len(kinds))], '0'+byte(random.IntN(2)),
			'0'+byte(max(0, random.IntN(16)-12)), '0'+byte(random.IntN(n)))
	}
	return tape
}

// A subject is a pool, and what is known of all tasks of its drivers.
type subject struct {
	// Ordinary goroutines are included. First: nothing else aligns 64-bit atomics.
	started, ran, panicked, handled atomic.Int64

	closing, refuses atomic.Bool // Shutdown may have closed the pool; it has

	t        require.TestingT
	pool     *hemlock.Pool
	settings model         // for all drivers to begin with
	scale    time.Duration // by which time is shorter than in a bubble
	patience time.Duration // for what must happen
	handler  bool
	exiting  bool // the handler calls Goexit
	shutDown bool // the pool ends with Shutdown; otherwise it is dropped
}

// newSubject makes a pool with the options at the beginning of the input, and returns
// the rest.
func newSubject(t require.TestingT, input []byte, scale time.Duration) (*subject, *pooltest.Tape) {
	in := &pooltest.Tape{Rest: input}
	s := &subject{t: t, scale: scale, patience: time.Minute}
	m := &s.settings
	m.interval = s.scaled(pooltest.Pick(in, time.Second, 0, 1, 3*time.Second, 250*time.Millisecond, time.Hour))
	m.delay = s.scaled(pooltest.Pick(in, 10*time.Second, 0, 1, 2*time.Second, 700*time.Millisecond, time.Hour))
	m.minimum = int64(in.Next('0', 40))
	m.maxTasks = pooltest.Pick[int64](in, 1<<16, 0, 1, 2, 3, 5, 32)
	exit := func(v any, stack []byte) { s.handle(v, stack); runtime.Goexit() }
	chosen := in.Next('0', 3)
	handler := []func(any, []byte){nil, s.handle, exit}[chosen]
	s.handler, s.exiting = handler != nil, chosen == 2
	drains := m.interval > 0 && m.minimum == 0 && (s.exact() || max(m.interval, m.delay) < time.Second)
	s.shutDown = pooltest.Pick(in, true, false) || !drains
	s.pool = hemlock.New(
		hemlock.WithKillInterval(m.interval),
		hemlock.WithKillDelay(m.delay),
		hemlock.WithMinWorkers(int(m.minimum)),
		hemlock.WithMaxTasksPerWorker(int(m.maxTasks)),
		hemlock.WithPanicHandler(handler),
	)
	return s, in
}

// exact reports whether the subject is in a bubble and has one driver.
func (s *subject) exact() bool { return s.scale == 1 }

func (s *subject) scaled(d time.Duration) time.Duration { return (d + s.scale - 1) / s.scale }

// handle is the panic handler. A gate for a value makes it wait.
func (s *subject) handle(v any, _ []byte) {
	s.handled.Inc()
	if gate, ok := v.(chan struct{}); ok {
		<-gate
	}
}

// shutdown calls Shutdown, which must not return nil before the last worker has
// gone.
func (s *subject) shutdown(ctx context.Context) error {
	s.closing.Store(true)
	err := s.pool.Shutdown(ctx)
	s.refuses.Store(true)
	if err == nil {
		assert.Zero(s.t, s.pool.Stats().Workers, "workers after Shutdown")
	}
	return err
}

// enter is what each task begins with.
func (s *subject) enter() {
	ran := s.ran.Inc()
	now := s.pool.Stats()
	assert.LessOrEqual(s.t, now.Running, now.Workers)
	assert.LessOrEqual(s.t, now.Completed, now.Submitted)
	if !s.exact() {
		strain(ran)
		return
	}
	assert.True(s.t, s.closing.Load() || now.Running > 0, "a task runs and is not counted: %v", now)
}

// ending is how a task ends.
type ending int

const (
	returns ending = iota
	panics
	exits
	exitsLocked // to its thread, which ends with it
)

// finishTask is the last thing that a task does.
func (s *subject) finishTask(how ending) {
	switch how {
	case panics:
		s.panicked.Inc()
		panic("fuzz")
	case exitsLocked:
		runtime.LockOSThread()
		runtime.Goexit()
	case exits:
		runtime.Goexit()
	}
}

// A batch is n tasks that wait for the same gate and then end the same way.
type batch struct {
	begun   atomic.Int64 // first: see subject
	n       int64
	how     ending
	gate    chan struct{}
	counted bool // the pool accepted them; otherwise they are ordinary goroutines
	byDo    bool // they are tasks of Do, each with a caller of its own
	started int64
}

// A driver does operations to a pool and to the model. If it is not alone, nobody looks
// at its model.
type driver struct {
	*subject
	model

	in      *pooltest.Tape
	batches []*batch
	waiting []chan error // the Shutdowns without a deadline
	party   *party       // nil: none yet
	byRun   bool         // the operation starts its tasks with Run
	how     ending       // and they end like this
	n       int          // and it has this number to use
}

func (s *subject) newDriver(in *pooltest.Tape) *driver {
	return &driver{subject: s, model: s.settings, in: in}
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
	(*driver).doNewGroup,       // q
	(*driver).doGroupGo,        // r
	(*driver).doGroupRelease,   // s
	(*driver).doGroupLimit,     // t
	(*driver).doGroupWait,      // u
	(*driver).doFanOut,         // v
	(*driver).doTrim,           // w
}

// most keeps an input from taking seconds.
const most = 60

func (d *driver) run() {
	d.rest()
	for done := 0; !d.in.Ended() && (done < most || !d.exact()); done++ {
		d.operate()
		d.rest()
	}
	d.finish()
}

// operate does the next operation of the input.
func (d *driver) operate() {
	operation := operations[d.in.Next('a', len(operations))]
	d.byRun = pooltest.Pick(d.in, false, true)
	d.how = pooltest.Pick(d.in, returns, panics, exits, exitsLocked)
	if d.how == panics && !d.handler {
		d.how = exits // a panic would end the process
	}
	d.n = d.in.Next('0', 64)
	operation(d)
}

// settle waits until nothing moves, if that can be.
func (d *driver) settle() {
	if d.exact() {
		synctest.Wait()
	}
}

// rest waits until nothing moves, and compares the pool with the model.
func (d *driver) rest() {
	if !d.exact() {
		return
	}
	synctest.Wait()
	d.check(d.t, d.pool)
	require.Equal(d.t, d.started.Load(), d.ran.Load(), "tasks that ran")
	require.Equal(d.t, d.panicked.Load(), d.handled.Load(), "panics that reached the handler")
	d.checkWaiting()
	d.party.check(d.t)
}

// checkWaiting looks at the Shutdowns without a deadline: they have returned if and
// only if no task runs.
func (d *driver) checkWaiting() {
	for _, result := range d.waiting {
		select {
		case err := <-result:
			require.NoError(d.t, err)
			require.Zero(d.t, d.stats.Running, "Shutdown returned while tasks run")
		default:
			require.NotZero(d.t, d.stats.Running, "Shutdown still waits, and no task runs")
		}
	}
	if d.stats.Running == 0 {
		d.waiting = nil
	}
}

// finish releases all tasks that still wait. A driver that is alone ends the pool, or
// has it end itself. The bubble fails the test if a goroutine is left.
func (d *driver) finish() {
	for len(d.batches) > 0 {
		d.doRelease()
		d.rest()
	}
	if !d.exact() {
		return
	}
	d.endGroup()
	if d.shutDown {
		require.NoError(d.t, d.shutdown(context.Background()))
		d.close()
	} else {
		for d.armed() {
			d.advance(time.Until(d.due()))
		}
	}
	d.rest()
	require.Zero(d.t, d.pool.Stats().Workers)
}
