package hemlock

import (
	"time"

	"go.uber.org/atomic"
)

// idlePerKill sets the share of the idle workers that one round takes: one in
// idlePerKill, so that a large surplus shrinks at a constant rate, and at least
// one, so that a small one ends.
const idlePerKill = 16

// A killer sends pills to idle workers while there are more workers than the
// minimum. It is a goroutine only then: the spawn that lifts the pool above its
// minimum arms it, and it ends when the pool is back there or closed. An idle
// pool has no goroutine and no timer.
type killer struct {
	// lastSpawn is when a worker was last spawned, in nanoseconds of the handoff's
	// clock. An atomic, because submitters write it and the killer reads it. Of
	// two spawns at the same moment the earlier may win: the delay is then short
	// by the time between them.
	lastSpawn atomic.Int64

	// killed counts the pills that the killer delivered, swallowed the workers
	// that were told to leave and have left. killed is written by the killer,
	// swallowed by workers.
	// Invariant: of the workers counted afterwards, at most killed-swallowed are
	// about to leave. So killed is raised by the goroutine that compares the two,
	// and swallowed only when the worker is no longer counted. In a closed pool,
	// where Shutdown tells workers to leave too, nobody compares.
	killed    atomic.Int64
	swallowed atomic.Int64

	// armed says that the killer's goroutine exists or is being started.
	// Invariant: while an open pool with an interval has spare workers it is set,
	// but for the moments between raising their number and arm, and within
	// disarm.
	armed atomic.Bool

	// Immutable after init.
	pool *Pool
	wake chan struct{} // capacity 1: a token says that it may be time to end
}

func (k *killer) init(p *Pool) {
	k.pool = p
	k.wake = make(chan struct{}, 1)
}

// noteSpawn holds the killer back and arms it if the pool, with this many
// workers, is above its minimum. The worker that was spawned must not have
// started: while it is counted and has not completed its task, a Shutdown
// cannot miss the killer that is armed here.
func (k *killer) noteSpawn(workers int64) {
	if k.pool.interval == 0 {
		return
	}
	k.lastSpawn.Store(int64(k.pool.handoff.Clock()))
	if workers > k.pool.minimum {
		k.arm()
	}
}

// noteLeave tells the killer when the pool, with this many workers, is back at
// its minimum, so that it ends at once and not an interval later.
func (k *killer) noteLeave(workers int64) {
	if workers <= k.pool.minimum {
		k.wakeUp()
	}
}

func (k *killer) noteSwallowed() { k.swallowed.Inc() }

func (k *killer) wakeUp() {
	select {
	case k.wake <- struct{}{}:
	default: // a token that nobody has taken yet says the same
	}
}

func (k *killer) arm() {
	if k.tryArm() {
		go k.run()
	}
}

// tryArm reports whether the caller is the one who armed the killer. Most find it
// armed, and write nothing.
func (k *killer) tryArm() bool {
	return !k.armed.Load() && k.armed.CompareAndSwap(false, true)
}

// run kills until nothing is left to kill.
func (k *killer) run() {
	clean() // of the labels of the submitter that armed it
	for {
		k.kill()
		if k.disarm() {
			break
		}
	}
	if k.pool.closed.Load() {
		k.pool.drain()
	}
}

// disarm reports whether the killer may end. One would clear armed and be done.
// But a spawn between the killer's last look at the pool and that moment saw a
// killer that was still armed, and nobody would kill its worker. So the killer
// looks again, and goes on unless another one has been armed meanwhile. If the
// pool is drained between that look and tryArm, it goes on to find the pool
// closed, and ends without having waited.
func (k *killer) disarm() bool {
	k.armed.Store(false)
	return !k.needed() || !k.tryArm()
}

// kill holds a round whenever one is due, until the killer is not needed.
func (k *killer) kill() {
	lastRound := time.Now()
	timer := time.NewTimer(k.pool.interval)
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
		lastRound = time.Now()
	}
}

// needed reports whether there are workers that the killer may take. It counts
// those that have a pill and are about to leave: if one of them did not, the
// killer would be gone.
func (k *killer) needed() bool {
	return k.pool.count.workers() > k.pool.minimum && !k.pool.closed.Load()
}

// wait returns the time until the next round is due: the interval after the
// last round, and the delay after the last spawn. It adds nothing to a setting,
// so that the largest ones do not overflow.
func (k *killer) wait(lastRound time.Time) time.Duration {
	lastSpawn := time.Duration(k.lastSpawn.Load()) // before the clock, so that the difference is not negative
	sinceSpawn := k.pool.handoff.Clock() - lastSpawn
	return max(k.pool.interval-time.Since(lastRound), k.pool.delay-sinceSpawn)
}

// round sends pills to a share of the workers that are idle now.
func (k *killer) round() {
	for range max(1, k.pool.Stats().Idle/idlePerKill) {
		if !k.maySpare() || !k.pool.poison() {
			return
		}
		k.killed.Inc()
	}
}

// maySpare reports whether the pool stays at its minimum when one more pill is
// delivered. The pills under way are read before the workers: one that is
// swallowed in between makes the answer too careful, never too bold.
func (k *killer) maySpare() bool {
	underWay := k.killed.Load() - k.swallowed.Load()
	return k.pool.count.workers()-underWay > k.pool.minimum
}
