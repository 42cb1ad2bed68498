package conformance_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/hemlock/conformance/internal/broken"
	"example.com/hemlock/conformance/self"
)

// A flaw is a pool that breaks a promise, and what the suite must say of it.
type flaw struct {
	what   string
	clause string
	says   string // part of the reason
	make   func(s settings) pool
}

func flaws() []flaw {
	return slices.Concat(
		handingOverFlaws, panickingFlaws, leftoverFlaws, killingFlaws, recyclingFlaws,
		shuttingDownFlaws, countingFlaws, citizenshipFlaws, doingFlaws,
	)
}

// everyThousandth reports true once in a thousand calls.
func everyThousandth() func() bool {
	var calls atomic.Int64
	return func() bool { return calls.Add(1)%1000 == 0 }
}

// repeats runs each task once, but every thousandth as often as times says.
func repeats(times int) func(settings) pool {
	odd := everyThousandth()
	return wraps(func(task func()) {
		n := 1
		if odd() {
			n = times
		}
		for range n {
			task()
		}
	})
}

// bounded makes a pool in which n tasks may run at a time. The others wait before they
// are accepted, or after.
func bounded(n int, before bool) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) {
		places := make(chan struct{}, n)
		b.OnSubmit = func(task func()) error {
			if before {
				places <- struct{}{}
			}
			return p.Submit(func() {
				if !before {
					places <- struct{}{}
				}
				defer func() { <-places }()
				task()
			})
		}
	})
}

// goIfRefused runs what Submit refuses in a goroutine.
func goIfRefused(p self.Pool, task func()) error {
	err := p.Submit(task)
	if err != nil {
		go task()
	}
	return err
}

// submitsNil gives the pool another task in place of a nil one; none if that is nil.
func submitsNil(instead func()) func(settings) pool {
	return submits(func(p self.Pool, task func()) error {
		if task == nil {
			task = instead
		}
		if task == nil {
			return nil
		}
		return p.Submit(task)
	})
}

var handingOverFlaws = []flaw{
	{"loses a task", "runs-every-task", "ran 0 times", repeats(0)},
	{"runs a task twice", "runs-every-task", "ran 2 times", repeats(2)},
	{"queues", "waits-for-no-task", "only 4 run", bounded(4, false)},
	{"queues", "short-beside-long", "at place 0 only", bounded(1, false)},
	{"queues behind a busy task", "long-use-all-processors", "never", bounded(1, false)},
	{"blocks", "never-blocks", "with 4 busy workers", bounded(4, true)},
	{
		"lets a newborn be stolen", "no-stolen-worker", "have met",
		func(s settings) pool { return &thief{line: newLine(s)} },
	},
	{"is bounded", "nested-chain", "nested tasks ends", bounded(64, false)},
	{
		"spawns always", "spawns-only-when-none-idle", "of which 1 were idle",
		spawns(func(_ *spawner, task func()) { task() }),
	},
	{
		"loses a task when it has no worker", "loses-nothing-while-killing", "was lost",
		submits(func(p self.Pool, task func()) error {
			if s := p.Stats(); s.Workers == 0 && s.Spawned > 0 {
				return nil
			}
			return p.Submit(task)
		}),
	},
	{"accepts nil", "nil-refused", "accepted a nil task", submitsNil(nil)},
	{"takes nil for a pill", "nil-kills-nothing", "goroutines instead of", submitsNil(runtime.Goexit)},
	{"allocates", "hand-over-allocates-nothing", "never", wraps(func(task func()) { task() })},
	{
		"drops tasks of Run", "run-replaces-go", "after Shutdown",
		runs(func(p self.Pool, task func()) { _ = p.Submit(task) }),
	},
	{
		"forgets the handler", "run-replaces-go", "crashed",
		runs(func(p self.Pool, task func()) { _ = goIfRefused(p, task) }),
	},
	{
		"runs nil", "run-refuses-nil", "returned from a nil task",
		runs(func(p self.Pool, task func()) { _ = p.Submit(task) }),
	},
}

func recovers(task func()) {
	defer func() { _ = recover() }()
	task()
}

func takesGoexitForPanic(task func()) {
	returned := false
	defer func() {
		if !returned {
			panic("the task did not return")
		}
	}()
	task()
	returned = true
}

var panickingFlaws = []flaw{
	{"recovers", "panic-crashes", "status 0", wraps(recovers)},
	{"throws again elsewhere", "panic-crashes", "does not show the stack", wraps(func(task func()) {
		defer func() {
			v := recover()
			go func() { panic(v) }()
			select {}
		}()
		task()
	})},
	{"is done before the crash", "crash-not-swallowed", "status 0", spawns(func(s *spawner, task func()) {
		defer s.tasks.Done()
		task()
	})},
	{
		"turns the panic into text", "handler-gets-panic", "not the value",
		handles(func(h handler, v any, stack []byte) { h(fmt.Sprint(v), stack) }),
	},
	{"drops the stack", "handler-gets-panic", "does not show the task", dropsStack},
	{
		"takes Goexit for a panic", "handler-gets-panics-only", "called 1 times instead of 0",
		wraps(takesGoexitForPanic),
	},
	{
		"hides runtime errors", "handler-gets-panics-only", "called 0 times instead of 1",
		handles(func(h handler, v any, stack []byte) {
			if _, is := v.(runtime.Error); !is {
				h(v, stack)
			}
		}),
	},
	{
		"recovers from the handler", "handler-panic-crashes", "status 0",
		handles(func(h handler, v any, stack []byte) { recovers(func() { h(v, stack) }) }),
	},
	{"is stranded by the handler", "handler-may-goexit", "Shutdown failed", doneAfterHandler},
	{
		"leaves the handler behind", "shutdown-outlasts-handler", "handler was running",
		handles(func(h handler, v any, stack []byte) { go h(v, stack) }),
	},
	{
		"counts the handler as no task", "shutdown-outlasts-handler", "while the handler ran",
		miscounts(func(s *counts) { s.Running = 0 }),
	},
	{"tires of handling", "panics-cost-nothing", "of 1000 panics 1 reached", mistakes(func(s *settings) {
		var once sync.Once
		h := s.PanicHandler
		s.PanicHandler = func(v any, stack []byte) { once.Do(func() { h(v, stack) }) }
	})},
	{
		"waits for a task that called Goexit", "goexit-costs-nothing", "Shutdown failed",
		spawns(func(s *spawner, task func()) {
			task()
			s.tasks.Done()
		}),
	},
}

var dropsStack = handles(func(h handler, v any, _ []byte) { h(v, nil) })

var leftoverFlaws = []flaw{
	{"inherits labels", "labels-not-inherited", "its submitter's labels", unclean},
	{"keeps labels", "labels-not-left-behind", "labels of its last task", unclean},
	{"keeps SetPanicOnFault", "panic-on-fault-off", "SetPanicOnFault on", unclean},
	{"keeps SetPanicOnFault in Do", "panic-on-fault-off", "SetPanicOnFault on", uncleanDo},
	{"is a plain call", "panic-on-fault-off", "in its caller", callsDirectly},
	{"keeps the closure", "closure-released", "never", breaks(func(p self.Pool, b *broken.Pool) {
		var last []func()
		b.OnSubmit = func(task func()) error {
			last = append(last[:0], task)
			return p.Submit(task)
		}
	})},
	{"keeps the closure of Do", "closure-released", "never", breaks(func(p self.Pool, b *broken.Pool) {
		var last []func()
		b.OnDo = func(task func()) {
			last = append(last[:0], task)
			p.Do(task)
		}
	})},
}

// never kills in the lifetime of a trial.
var never = mistakes(func(s *settings) { s.KillInterval = 1 << 60 })

// kills sets how fast.
func kills(interval, delay time.Duration) func(settings) pool {
	return mistakes(func(s *settings) { s.KillInterval, s.KillDelay = interval, delay })
}

// minimum gets the minimum wrong.
func minimum(add int) func(settings) pool {
	return mistakes(func(s *settings) { s.MinWorkers += add })
}

var killingFlaws = []flaw{
	{"never kills", "shrinks-when-idle", "201 goroutines are left", never},
	{"never kills", "shrinks-under-trickle", "1001 goroutines are left", never},
	{"has no minimum", "keeps-minimum", "there are 7 workers", minimum(-1)},
	{"keeps one too many", "keeps-minimum", "there are 9 workers", minimum(+1)},
	{"has no minimum", "minimum-is-per-pool", "go below its minimum", minimum(-8)},
	{"poisons with a blocking send", "pill-spares-busy", "took one that had just finished", func(s settings) pool {
		l := newLine(s)
		go l.kill(s.KillInterval)
		return l
	}},
	{"kills at once", "bursts-do-not-thrash", "goroutines", kills(time.Millisecond, 1)},
	{"has a ticker", "idle-pool-sleeps", "keeps 1 goroutines", housekeeper},
	{"has a timer for once", "idle-pool-sleeps", "ended with status 3", mistakes(func(*settings) {
		time.AfterFunc(1000*time.Hour, func() { os.Exit(3) })
	})},
	{"sleeps on", "killer-ends-at-once", "there are 1 goroutines", housekeeper},
	{"is armed too late", "killer-always-armed", "2 workers", minimum(+1)},
	{"leaves a goroutine", "dropped-pools-collected", "left 1000 goroutines", leavesGoroutine},
	{"keeps a list of pools", "dropped-pools-collected", "objects", func(s settings) pool {
		p := self.New(s)
		registry = append(registry, p)
		return p
	}},
	{"overflows", "largest-settings-work", "was replaced", kills(1, 1)},
}

// registry is what a pool that must be shut down keeps of the others.
var registry []pool

var leavesGoroutine = mistakes(func(*settings) { go func() { <-make(chan struct{}) }() })

var housekeeper = mistakes(func(*settings) {
	go func() {
		for {
			time.Sleep(time.Hour)
		}
	}()
})

var recyclingFlaws = []flaw{
	{
		"does not recycle", "recycles-workers", "ran on 1 goroutines",
		mistakes(func(s *settings) { s.MaxTasksPerWorker = 0 }),
	},
	{"recycles all together", "recycles-are-spread", "in the same round", unclean},
	{
		"counts a recycle as a spawn", "recycle-is-no-spawn", "spawned",
		miscounts(func(s *counts) { s.Spawned += s.Recycled }),
	},
}

var shuttingDownFlaws = []flaw{
	{"does not wait", "shutdown-waits", "had not ended", doesNotWait},
	{"is late", "shutdown-waits", "returned after 11s", shutsDownLate},
	{
		"accepts for ever", "refuses-after-shutdown", "accepted a task after",
		submits(func(p self.Pool, task func()) error { p.Run(task); return nil }),
	},
	{"runs what it refused", "refuses-after-shutdown", "ran all the same", submits(goIfRefused)},
	{"checks too early", "accepted-equals-executed", "had run when Shutdown returned", checksTooEarly},
	{"forgets some", "accepted-equals-executed", "accepted tasks", acceptsAll},
	{"accepts what it drops", "tasks-may-submit-while-closing", "0 had run", acceptsAll},
	{
		"ignores the context", "shutdown-honours-context", "deadlock",
		stops(func(p self.Pool, _ context.Context) error { return p.Shutdown(context.Background()) }),
	},
	{"says that it is done", "shutdown-honours-context", "returned nil", doesNotWait},
	{
		"hides the cause", "shutdown-names-cause", "does not wrap",
		fails(func(context.Context) error { return errRefused }),
	},
	{"hides the end behind the cause", "shutdown-names-end", "does not wrap", fails(context.Cause)},
	{"leaves a waiter", "timed-out-shutdowns-leak-nothing", "left 1000 goroutines", stops(leaveWaiter)},
	{"knows one caller", "shutdown-is-repeatable", "refused", breaks(func(p self.Pool, b *broken.Pool) {
		var called atomic.Bool
		b.OnShutdown = func(ctx context.Context) error {
			if called.Swap(true) {
				return errRefused
			}
			return p.Shutdown(ctx)
		}
	})},
	{"tells a task that it has ended", "shutdown-from-task", "was told", doesNotWait},
	{"leaves a goroutine", "shutdown-leaves-nothing", "had 1 goroutines", housekeeper},
	{"takes its time", "shutdown-leaves-nothing", "took 1s", shutsDownLate},
	{
		"looks at the context first", "drained-beats-context", "context canceled",
		stops(func(p self.Pool, ctx context.Context) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return p.Shutdown(ctx)
		}),
	},
}

var shutsDownLate = stops(func(p self.Pool, ctx context.Context) error {
	defer time.Sleep(time.Second)
	return p.Shutdown(ctx)
})

var doesNotWait = stops(func(p self.Pool, ctx context.Context) error {
	go func() { _ = p.Shutdown(ctx) }()
	return nil
})

// fails returns another error when Shutdown fails.
func fails(as func(ctx context.Context) error) func(settings) pool {
	return stops(func(p self.Pool, ctx context.Context) error {
		if p.Shutdown(ctx) != nil {
			return as(ctx)
		}
		return nil
	})
}

func leaveWaiter(p self.Pool, ctx context.Context) error {
	ended := make(chan error)
	go func() {
		err := p.Shutdown(context.Background())
		ended <- err // for ever, if no Shutdown waits any more
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// acceptsAll never refuses a task, but drops those that come too late.
var acceptsAll = submits(func(p self.Pool, task func()) error {
	_ = p.Submit(task)
	return nil
})

// checksTooEarly looks whether the pool is closed, and hands over the task as if it
// still were not.
var checksTooEarly = closes(func(p self.Pool, b *broken.Pool, closed *atomic.Bool) {
	b.OnSubmit = func(task func()) error {
		if closed.Load() {
			return errRefused
		}
		time.Sleep(time.Microsecond)
		p.Run(task)
		return nil
	}
})

// closes breaks a pool that knows when Shutdown was called.
func closes(f func(p self.Pool, b *broken.Pool, closed *atomic.Bool)) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) {
		closed := new(atomic.Bool)
		b.OnShutdown = func(ctx context.Context) error {
			closed.Store(true)
			return p.Shutdown(ctx)
		}
		f(p, b, closed)
	})
}

var countingFlaws = []flaw{
	{
		"counts tasks late", "tasks-counted-at-once", "0 tasks are counted",
		miscounts(func(s *counts) { s.Submitted-- }),
	},
	{
		"counts running tasks late", "tasks-counted-at-once", "0 are counted as running or waiting",
		miscounts(func(s *counts) { s.Running-- }),
	},
	{
		"counts workers late", "workers-counted-in-time", "workers are counted",
		miscounts(func(s *counts) { s.Workers-- }),
	},
	{
		"counts no panics", "tasks-balance", "while 5 tasks run",
		miscounts(func(s *counts) { s.Completed -= s.Panicked }),
	},
	{"counts refusals", "tasks-balance", "came too late", breaks(func(p self.Pool, b *broken.Pool) {
		var refused int64
		b.OnSubmit = func(task func()) error {
			err := p.Submit(task)
			if err != nil {
				refused++
			}
			return err
		}
		b.OnStats = func() counts {
			s := p.Stats()
			s.Submitted += refused
			return s
		}
	})},
	{
		"counts the dead", "workers-balance", "workers are counted",
		miscounts(func(s *counts) { s.Workers = s.Spawned + 1 }),
	},
	{"does not add up", "workers-balance", "do not add up", miscounts(func(s *counts) { s.Idle++ })},
	{"says that tasks wait", "tasks-balance", "waiting=1", miscounts(func(s *counts) {
		if s.Running > 0 {
			s.Running--
			s.Waiting++
		}
	})},
	{
		"waits below zero", "counts-bounded-under-load", "negative",
		miscounts(func(s *counts) { s.Waiting = -1 }),
	},
	{"counts below zero", "counts-bounded-under-load", "negative", miscounts(func(s *counts) { s.Idle = -1 })},
	{
		"has more running than workers", "counts-bounded-under-load", "more are running",
		miscounts(func(s *counts) { s.Running = s.Workers + 1 }),
	},
	{"has a low peak", "counts-bounded-under-load", "peak", miscounts(func(s *counts) { s.PeakWorkers = 0 })},
	{"takes back", "totals-never-fall", "submitted went from", miscounts(func(s *counts) {
		if takesBack() {
			s.Submitted /= 2
		}
	})},
	{
		"counts Goexit as a panic", "lifetimes-counted", "again the counts are",
		miscounts(func(s *counts) { s.Panicked += 2 }),
	},
	{"counts no kills", "lifetimes-counted", "count as killed", miscounts(func(s *counts) { s.Killed = 0 })},
	{"counts retired workers as killed", "lifetimes-counted", "after Shutdown", miscounts(func(s *counts) {
		if s.Workers == 0 {
			s.Killed++
		}
	})},
}

var takesBack = everyThousandth()

const startsAtImport = "starts a goroutine at import"

func init() {
	if os.Getenv("CONFORMANCE_SUBJECT") == startsAtImport {
		go func() { <-make(chan struct{}) }()
	}
}

// global makes the same pool for every caller. It is a clerk, outside of all bubbles,
// so that a task of a bubble must run there: of several workers one inside might.
var global = sync.OnceValue(func() pool {
	c := make(clerk)
	go func() {
		for task := range c {
			task()
		}
	}()
	return c
})

var citizenshipFlaws = []flaw{
	{startsAtImport, "import-starts-nothing", "conformance_test.init", mistakes(func(*settings) {})},
	{"leaves a goroutine in the bubble", "bubble-ends-after-shutdown", "until the bubble ends", leavesGoroutine},
	{"never kills", "bubble-ends-when-drained", "until the bubble ends", never},
	{"is a package variable", "bubbles-share-nothing", "crashed", func(settings) pool { return global() }},
	{"lets workers start workers", "bursts-leave-turns", "turns while", func(settings) pool { return &chain{} }},
	{"lets workers start workers", "started-tasks-go-on", "tasks began", func(settings) pool { return &chain{} }},
}
