package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A verdict is the finding of a trial, which its process leaves behind.
type verdict struct {
	Step   string // what the trial was doing last
	Passed bool
	Reason string // why it failed
}

// A trial is the examination of one pool by one clause, inside the process that
// was started for it. It ends with that process: fail does not return.
type trial struct {
	t       *testing.T
	subject Subject
	base    int // goroutines before the first pool was made

	// mu guards verdict and its file. It is never unlocked again after the last verdict
	// has been written, so that no other goroutine adds to it.
	mu      sync.Mutex
	verdict verdict
	file    string
}

// answer returns at once unless this process was started for a clause of this
// subject. Then it holds the trial and never returns.
func answer(t *testing.T, s Subject) {
	t.Helper()
	if os.Getenv(envTest) != t.Name() || os.Getenv(envSubject) != s.Name {
		return
	}
	c, known := find(os.Getenv(envClause))
	if !known {
		t.Fatalf("conformance: %s names no clause: %q", envClause, os.Getenv(envClause))
	}
	x := &trial{t: t, subject: s, file: os.Getenv(envVerdict)}
	x.step("starting")
	if c.realTime {
		x.hold(c)
	}
	synctest.Test(t, func(t *testing.T) {
		x.t = t
		x.hold(c)
	})
}

// hold lets the clause examine the pool and ends the process, even from inside a
// bubble: what the pool leaves behind there is the business of other clauses.
func (x *trial) hold(c Clause) {
	x.base = x.goroutines()
	c.check(x)
	x.mu.Lock()
	x.verdict.Passed = true
	x.write()
	os.Exit(0)
}

// step notes what the trial does next, in case it never gets further.
func (x *trial) step(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.verdict.Step = fmt.Sprintf(format, args...)
	x.write()
}

// fail ends the process with this reason. It may be called from any goroutine,
// inside a task too.
func (x *trial) fail(format string, args ...any) {
	x.mu.Lock()
	x.verdict.Reason = fmt.Sprintf(format, args...)
	x.write()
	os.Exit(1)
}

func (x *trial) require(ok bool, format string, args ...any) {
	if !ok {
		x.fail(format, args...)
	}
}

func (x *trial) write() {
	text, err := json.Marshal(x.verdict)
	if err != nil {
		panic(err)
	}
	// The process may crash at any moment, but not with half a file.
	draft := x.file + ".draft"
	if err := errors.Join(os.WriteFile(draft, text, 0o600), os.Rename(draft, x.file)); err != nil {
		panic(err)
	}
}

// pool makes a pool.
func (x *trial) pool(s Settings) Pool { return x.subject.New(s) }

// handled makes a pool with a panic handler, and returns how often that is called.
func (x *trial) handled() (Pool, *atomic.Int64) {
	told := new(atomic.Int64)
	return x.pool(Settings{PanicHandler: func(any, []byte) { told.Add(1) }}), told
}

// submit hands over a task that must be accepted.
func (x *trial) submit(p Pool, task func()) {
	if err := p.Submit(task); err != nil {
		x.fail("Submit refused a task: %v", err)
	}
}

// submits hands over that many tasks, and waits until all goroutines are blocked.
func (x *trial) submits(p Pool, times int, task func()) {
	for range times {
		x.submit(p, task)
	}
	x.settle()
}

// stop calls Shutdown with a deadline and returns its error.
func stop(p Pool, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return p.(Stopper).Shutdown(ctx)
}

// shutdown shuts the pool down, which must succeed.
func (x *trial) shutdown(p Pool) {
	x.step("waiting for Shutdown")
	ended := make(chan error, 1)
	go func() { ended <- stop(p, patience) }()
	select {
	case err := <-ended:
		x.require(err == nil, "Shutdown failed: %v", err)
	case <-time.After(patience + time.Second):
		x.fail("Shutdown did not return within %v", patience)
	}
}

// end shuts the pool down if it can be.
func (x *trial) end(p Pool) {
	if x.subject.can(Shutdown) {
		x.shutdown(p)
	}
}

// stats returns the pool's counts.
func (x *trial) stats(p Pool) Stats { return p.(Counter).Stats() }

// settle waits until all goroutines of the bubble are blocked.
func (x *trial) settle() { synctest.Wait() }

// pass lets time pass, and all that happens until then.
func (x *trial) pass(d time.Duration) {
	time.Sleep(d)
	x.settle()
}

// patience is how long a trial waits for what should happen at once. In a
// bubble it costs nothing: time passes there only when nothing else can happen.
const patience = 20 * time.Second

// await waits until the channel is closed.
func (x *trial) await(c <-chan struct{}, what string) {
	x.step("waiting until %s", what)
	select {
	case <-c:
	case <-time.After(patience):
		x.fail("not within %v: %s", patience, what)
	}
}

// within calls f on a goroutine of its own, and waits until that has ended.
func (x *trial) within(what string, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	x.await(done, what)
}

// eventually retries in real time until the condition holds.
func (x *trial) eventually(what string, holds func() bool) {
	x.step("waiting until %s", what)
	const attempts, atLeast = 100, 3 * time.Second
	start := time.Now()
	for i := 0; i < attempts || time.Since(start) < atLeast; i++ {
		if holds() {
			return
		}
		time.Sleep(min(time.Duration(i)*time.Millisecond, 50*time.Millisecond))
	}
	x.fail("never: %s", what)
}

// goroutines returns the exact number of goroutines. Reading the memory
// statistics stops the world, which lets a goroutine that is in the middle of
// its end get through with it.
func (x *trial) goroutines() int {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return runtime.NumGoroutine()
}

// extra returns how many goroutines there are more than at the start.
func (x *trial) extra() int { return x.goroutines() - x.base }

// cost returns how many goroutines a settled pool has before its first task: a
// housekeeper is not a worker.
func (x *trial) cost() int {
	x.settle()
	return x.extra()
}

// self returns the number of the calling goroutine, which is never used twice.
// The first line of a stack trace is the one place that shows it.
func self() uint64 {
	var line [64]byte
	fields := bytes.Fields(line[:runtime.Stack(line[:], false)])
	id, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		panic(err)
	}
	return id
}

// crew is a set of goroutines by their numbers.
type crew map[uint64]bool

// held are tasks that run at the same time until they are let go.
type held struct {
	mu   sync.Mutex // guards ids
	ids  crew
	gate chan struct{}
}

// keep submits n tasks and returns them when all of them run.
func (x *trial) keep(p Pool, n int) *held {
	h := &held{ids: crew{}, gate: make(chan struct{})}
	x.submits(p, n, func() {
		h.note()
		<-h.gate
	})
	x.require(len(h.ids) == n, "of %d tasks submitted together only %d run", n, len(h.ids))
	return h
}

func (h *held) note() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids[self()] = true
}

// burst lets n tasks run at the same time and end, and returns their goroutines.
func (x *trial) burst(p Pool, n int) crew {
	h := x.keep(p, n)
	close(h.gate)
	x.settle()
	return h.ids
}

// grow makes the pool have n idle workers, and as many of Do if it has such.
func (x *trial) grow(p Pool, n int) {
	x.burst(p, n)
	if x.subject.can(Calls) {
		doNested(n, func() {}, p)
	}
}

// reuses lets as many tasks run, which must find these goroutines.
func (x *trial) reuses(p Pool, workers crew, format string, args ...any) {
	for id := range x.burst(p, len(workers)) {
		x.require(workers[id], format, args...)
	}
}

// one lets the pool run a task to its end.
func (x *trial) one(p Pool, task func()) {
	done := make(chan struct{})
	x.submit(p, func() {
		defer close(done)
		task()
	})
	x.await(done, "a task runs")
	x.settle()
}
