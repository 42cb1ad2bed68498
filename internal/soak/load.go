package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"example.com/hemlock"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// What bounds one load, so that memory and time stay within reason on a small
// machine under a memory limit.
const (
	submitters   = 6
	tasksAtOnce  = 600
	longestEpoch = 300 * time.Millisecond
)

// A load is the work on one pool, from New to its end, and what it counts itself.
type load struct {
	// What the load itself knows of its tasks; first, because on 32-bit platforms
	// nothing else aligns 64-bit atomics.
	accepted atomic.Int64 // by Submit
	loose    atomic.Int64 // started by Run, which does not say whether they are counted
	ran      atomic.Int64
	ended    atomic.Int64
	panicked atomic.Int64
	handled  atomic.Int64
	misled   atomic.Int64 // groups whose Wait did not return what their tasks did

	pool     *hemlock.Pool
	random   *rand.Rand // used by the goroutine of run alone
	room     *semaphore.Weighted
	patience time.Duration // for everything that must end
	ending   ending
}

// An ending is how a pool ends.
type ending int

const (
	closedAfterwards ending = iota // after the last submit
	closedMidway                   // while submitters are at work
	dropped                        // not at all: it drains itself
	endings
)

func newLoad(seed uint64) *load {
	random := rand.New(rand.NewPCG(seed, 1))
	l := &load{
		random:   random,
		room:     semaphore.NewWeighted(tasksAtOnce),
		patience: time.Minute,
		ending:   ending(random.IntN(int(endings))),
	}
	opts := []hemlock.Option{
		hemlock.WithKillInterval(1 + below(random, time.Millisecond)),
		hemlock.WithKillDelay(below(random, 10*time.Millisecond)),
		hemlock.WithMaxTasksPerWorker(random.IntN(200)),
		hemlock.WithPanicHandler(func(any, []byte) { l.handled.Inc() }),
	}
	if random.IntN(4) == 0 { // the killer at every moment, or never
		interval := time.Duration(random.IntN(3))
		if interval == 0 && l.ending == dropped {
			l.ending = closedAfterwards // or it could not drain
		}
		opts = append(opts, hemlock.WithKillInterval(interval),
			hemlock.WithKillDelay(below(random, 2*time.Microsecond)),
			hemlock.WithMaxTasksPerWorker(random.IntN(20)))
	}
	if l.ending != dropped { // such a pool must be able to drain
		opts = append(opts, hemlock.WithMinWorkers(random.IntN(20)))
	}
	l.pool = hemlock.New(opts...)
	return l
}

// run submits until the time is over, ends the pool, and audits the counts.
func (l *load) run(fault func(*load)) error {
	ctx, cancel := context.WithTimeout(context.Background(), below(l.random, longestEpoch))
	defer cancel()
	var group errgroup.Group
	for range submitters {
		random := rand.New(rand.NewPCG(l.random.Uint64(), 2))
		group.Go(func() error { l.submitUntil(ctx, random); return nil })
	}
	group.Go(func() error { return l.watch(ctx) })
	fault(l)
	l.endMidway(ctx)
	return errors.Join(group.Wait(), l.end(), l.audit())
}

// submitUntil starts tasks until ctx ends, at most as many at once as there is
// room for.
func (l *load) submitUntil(ctx context.Context, random *rand.Rand) {
	for l.room.Acquire(ctx, 1) == nil {
		l.start(random, 3)
	}
}

// start starts a task that does something at random, for which there is room.
// Tasks start tasks, to the given depth.
func (l *load) start(random *rand.Rand, depth int) {
	seed := random.Uint64()
	task := func() {
		defer l.begin()()
		l.act(rand.New(rand.NewPCG(seed, 3)), depth)
	}
	if random.IntN(2) == 0 {
		l.loose.Inc()
		l.pool.Run(task)
		return
	}
	if l.pool.Submit(task) != nil {
		l.room.Release(1)
		return
	}
	l.accepted.Inc()
}

// begin counts a task, for which there is room, as run, and returns what it does
// when it ends.
func (l *load) begin() (end func()) {
	l.ran.Inc()
	return func() {
		l.ended.Inc()
		l.room.Release(1)
	}
}

// endMidway shuts the pool down while submitters are at work, if that is its
// ending.
func (l *load) endMidway(ctx context.Context) {
	<-time.After(below(l.random, longestEpoch/2))
	if l.ending == closedMidway {
		// Without waiting: that is the task of end.
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_ = l.pool.Shutdown(ended)
	}
}

// end waits until the pool has ended.
func (l *load) end() error {
	if l.ending != closedMidway {
		l.waitForTasks()
	}
	if l.ending == dropped {
		return l.eventually("a dropped pool drains", func() bool {
			s := l.pool.Stats()
			return s.Workers == 0 && s.Submitted == s.Completed
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.patience)
	defer cancel()
	return l.pool.Shutdown(ctx)
}

// waitForTasks returns when no task runs that could start another, or gives up:
// then the audit will tell.
func (l *load) waitForTasks() {
	ctx, cancel := context.WithTimeout(context.Background(), l.patience)
	defer cancel()
	_ = l.room.Acquire(ctx, tasksAtOnce)
}

// eventually waits, with growing pauses, until ok holds.
func (l *load) eventually(what string, ok func() bool) error {
	deadline := time.Now().Add(l.patience)
	for pause := 10 * time.Microsecond; !ok(); pause = min(2*pause, 10*time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %v in vain until %s: %v", l.patience, what, l.pool.Stats())
		}
		time.Sleep(pause)
	}
	return nil
}

// below returns a random time shorter than d.
func below(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}
