package hemlock

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/atomic"
)

// idlePerKill sets the share of the idle workers that one round takes: one in
// idlePerKill, so that a large surplus shrinks at a constant rate, and at least
// one, so that a small one ends.
const idlePerKill = 16

// lifetime, 18 years, is longer than any pool lives. The clock of a synctest bubble is set to the
// year 2000, so a pool that is used on the wrong side of a bubble's wall seems older, or
// not yet made. The killer would wait inside for a channel from outside, which stops the
// bubble's clock for good, and the test would hang.
const lifetime time.Duration = 1 << 59

// A killer stops idle workers while there are more workers than the minimum. It is a
// goroutine only then: the start of a worker that lifts the pool above its minimum
// arms it, and it ends when the pool is back there or closed. So a pool at its minimum
// has no killer and no timer.
type killer struct {
	// lastSpawn is when a worker was last started, by the clock. An atomic, because
	// submitters write it and the killer reads it. Of two starts at the same moment the
	// earlier may win. The delay is then short by the time between them.
	lastSpawn atomic.Int64

	// killed counts the workers that the killer told to leave, swallowed those of them
	// that have left. killed is written under mu, swallowed by workers.
	// Invariant: of the workers counted afterwards, at most killed-swallowed are
	// about to leave. So killed is raised by the goroutine that compares the two,
	// and swallowed only when the worker is no longer counted. In a closed pool,
	// where other workers are told to leave too, nothing compares them.
	killed    atomic.Int64
	swallowed atomic.Int64

	// armed says that the killer's goroutine exists or is being started.
	// Invariant: while an open pool with an interval has more workers than its minimum,
	// armed is set, except between raising their number and arm, and within disarm.
	armed atomic.Bool

	// Immutable after init.
	*options
	crew  crew
	clock func() time.Duration
	wake  chan struct{} // capacity 1: a token says that it may be time to end
	trims chan struct{} // capacity 1: full during a Trim
	left  chan struct{} // capacity 1: a token tells Trim that it may be settled

	mu sync.Mutex // held while workers are killed, by the killer or by Trim
}

// A crew is a pool as its killer sees it.
type crew interface {
	workers() int64 // those that were told to leave and have not left included
	idle() int64
	kill() bool // tells an idle worker to leave, and reports whether there is one
	isClosed() bool
	drain() // is called when the killer of a closed pool has ended
}

func (k *killer) init(c crew, clock func() time.Duration, o *options) {
	k.options, k.crew, k.clock = o, c, clock
	k.wake = make(chan struct{}, 1)
	k.trims = make(chan struct{}, 1)
	k.left = make(chan struct{}, 1)
}

// noteSpawn holds the killer back, and arms it if the pool, with this many workers,
// is above its minimum. The new worker must have been counted and not have started:
// while it has not completed its task, a Shutdown cannot miss a killer that is armed
// here.
func (k *killer) noteSpawn(workers int64) {
	if k.interval == 0 {
		return
	}
	k.lastSpawn.Store(int64(k.clock()))
	if workers > k.minimum {
		k.arm()
		signal(k.left)
	}
}

// misplaced reports whether the pool is used on the wrong side of a bubble's wall.
func (k *killer) misplaced() bool {
	return k.interval != 0 && k.clock().Abs() > lifetime
}

// noteLeave tells the killer when the pool, with this many workers, is back at
// its minimum, so that it ends at once and not an interval later.
func (k *killer) noteLeave(workers int64) {
	if workers <= k.minimum {
		k.wakeUp()
	}
}

// noteSwallowed counts a worker that was told to leave and is no longer counted.
func (k *killer) noteSwallowed() {
	k.swallowed.Inc()
	signal(k.left)
}

func (k *killer) wakeUp() { signal(k.wake) }

// signal puts a token on a channel of capacity 1. A token that is there says the same.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (k *killer) arm() {
	if k.tryArm() {
		go k.run()
	}
}

// tryArm reports whether it was this call that armed the killer. Most calls find it
// armed, and write nothing.
func (k *killer) tryArm() bool {
	return !k.armed.Load() && k.armed.CompareAndSwap(false, true)
}

// run kills until nothing is left to kill.
func (k *killer) run() {
	clean(context.Background()) // of the labels of the submitter that armed it
	for {
		k.kill()
		if k.disarm() {
			break
		}
	}
	signal(k.left)
	if k.crew.isClosed() {
		k.crew.drain()
	}
}

// disarm reports whether the killer may end. One would clear armed and be done. But a
// worker that was started between the killer's last look at the pool and that moment
// found a killer that was still armed, and would never be killed. So the killer looks
// again, and goes on unless another one has been armed meanwhile. If the pool is
// drained between that look and tryArm, it goes on to find the pool closed, and ends
// without having waited.
func (k *killer) disarm() bool {
	k.armed.Store(false)
	return !k.needed() || !k.tryArm()
}

// kill holds a round whenever one is due, until the killer is not needed.
func (k *killer) kill() {
	lastRound := k.clock()
	timer := time.NewTimer(k.interval)
	defer timer.Stop()
	for k.needed() {
		if wait := k.wait(lastRound); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-k.wake:
			}
			continue
		}
		k.round()
		lastRound = k.clock()
	}
}

// needed reports whether there are workers that the killer may take. It counts
// those that were told to leave and have not left: if one of them did not leave, the
// killer would be gone.
func (k *killer) needed() bool {
	return k.crew.workers() > k.minimum && !k.crew.isClosed()
}

// wait returns the time until the next round is due: the interval after the
// last round, and the delay after the last start. It adds nothing to a setting,
// so that the largest ones do not overflow.
func (k *killer) wait(lastRound time.Duration) time.Duration {
	lastSpawn := time.Duration(k.lastSpawn.Load()) // before the clock, so that the difference is not negative
	now := k.clock()
	return max(k.interval-(now-lastRound), k.delay-(now-lastSpawn))
}

// round kills a share of the workers that are idle now.
func (k *killer) round() { k.take(max(1, k.crew.idle()/idlePerKill)) }

// take kills up to n of the workers that are idle now, and returns how many.
func (k *killer) take(n int64) (killed int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for killed < n && k.maySpare() && k.crew.kill() {
		k.killed.Inc()
		killed++
	}
	return killed
}

// maySpare reports whether the pool stays at its minimum when one more worker is told
// to leave. Those under way are read before the workers: one that leaves in between
// makes the answer too careful, never too bold.
func (k *killer) maySpare() bool {
	underWay := k.killed.Load() - k.swallowed.Load()
	return k.crew.workers()-underWay > k.minimum
}

// settled reports whether all workers that were told to leave have left, and the killer
// as well if nothing is left to kill. Those that have left are read first: if they are
// as many as were killed later, all had left when they were read. mu excludes the moment
// at which a worker was told to leave and is not yet counted as killed. What makes it true
// puts a token on left: a worker that leaves, the killer that ends, and a worker that is
// started, for which the killer stays.
func (k *killer) settled() bool {
	swallowed := k.swallowed.Load()
	k.mu.Lock()
	defer k.mu.Unlock()
	return swallowed >= k.killed.Load() && (k.needed() || !k.armed.Load())
}

// Trim kills the workers that are idle now, down to the minimum of [WithMinWorkers],
// and returns nil when they have left. It is for a process that is short of memory,
// and for tests that look for leaked goroutines. If ctx ends first it returns an error
// that wraps the Err and the [context.Cause] of ctx, and the workers leave all the
// same. Workers that become idle meanwhile may stay. After [Pool.Shutdown] it does
// nothing. It panics if ctx is nil.
func (p *Pool) Trim(ctx context.Context) error {
	p.check()
	if ctx == nil {
		panic("hemlock: Trim with a nil context")
	}
	if p.isClosed() {
		return nil
	}
	if err := p.trim(ctx); err != nil {
		return fmt.Errorf("hemlock: trim: %w", err)
	}
	return nil
}

// trim kills and waits by turns: while workers leave, the killer may count one twice, and
// spare too many.
func (p *Pool) trim(ctx context.Context) error {
	k := &p.killer
	select {
	case k.trims <- struct{}{}:
		defer func() { <-k.trims }()
	case <-ctx.Done():
		return why(ctx)
	}
	for idle := p.idle(); ; {
		if err := k.settle(ctx); err != nil {
			return err
		}
		// Beside the caller: one that is locked to its thread cannot stop a coroutine, and a
		// ctx that ends should not have to wait for 100,000 workers.
		killed := make(chan int64, 1)
		go func() { killed <- k.take(idle) }()
		select {
		case n := <-killed:
			if n == 0 {
				return nil
			}
			idle -= n
		case <-ctx.Done():
			return why(ctx)
		}
	}
}

// settle waits until the killer is settled, the pool is closed, or ctx ends.
func (k *killer) settle(ctx context.Context) error {
	for !k.settled() && !k.crew.isClosed() {
		select {
		case <-k.left:
		case <-ctx.Done():
			return why(ctx)
		}
	}
	return nil
}

func (p *Pool) workers() int64 { return p.count.workers() }
func (p *Pool) idle() int64    { return p.Stats().Idle }
func (p *Pool) isClosed() bool { return p.closed.Load() }

// kill tells an idle worker to leave, and reports whether it found one. Of the two
// kinds it takes the one of which more are idle. If one kind always came first, a
// trickle of tasks for it would have its one worker killed and started again and
// again, and the idle workers of the other kind would stay.
func (p *Pool) kill() bool {
	if 2*p.handoff.Coroutines() > p.idle() {
		return p.killCoroutine() || p.handoff.Pill()
	}
	return p.handoff.Pill() || p.killCoroutine()
}

// killCoroutine stops a worker of Do, if one is idle: see [handoff.Handoff.Oldest].
func (p *Pool) killCoroutine() bool {
	c := p.handoff.Oldest()
	if c == nil {
		return false
	}
	p.stop(c)
	p.killer.noteSwallowed()
	return true
}
