package hemlock

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock/internal/handoff"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// KillerArmed reports whether the killer's goroutine exists. From outside a test
// cannot see whether a pool above its minimum is being watched, unless it waits for an
// interval.
func (p *Pool) KillerArmed() bool { return p.killer.armed.Load() }

// Enough returns how many workers on their way the pool takes for enough. It shows
// what the pool has learned of how long its tasks take.
func (p *Pool) Enough() int32 { return p.handoff.Enough() }

// MeetHandOver calls f while a task has been accepted and no worker has it, which
// lasts some nanoseconds in Submit.
func (p *Pool) MeetHandOver(f func()) {
	at := p.handoff.Accept()
	f()
	at.Complete()
}

// MeetTrim calls f while a Trim is under way, which lasts microseconds.
func (p *Pool) MeetTrim(f func()) {
	p.killer.trims <- struct{}{}
	f()
	<-p.killer.trims
}

// These tests are inside the package: they let single steps of the pool meet within
// nanoseconds, which from outside happens once in many hours.

// Pitfall 13: a worker that is started while the killer ends is not overlooked.
func TestKillerLooksAgainWhenItDisarms(t *testing.T) {
	p := steps(2)
	p.killer.armed.Store(true)
	for range 3 {
		p.count.raise()
	}
	require.False(t, p.killer.disarm())
	require.True(t, p.killer.armed.Load())
	p.count.lower()
	require.True(t, p.killer.disarm(), "nothing to kill")
	require.False(t, p.killer.armed.Load())
}

// steps returns a pool that never starts its killer: the steps of the killer are the
// test's.
func steps(minimum int) *Pool { return New(WithKillInterval(0), WithMinWorkers(minimum)) }

// A held is a crew of workers that stay until they are told to leave, of which the first
// is told slowly.
type held struct {
	told atomic.Int64 // first, for 32-bit platforms
	crew
	release chan struct{}
}

func (*held) workers() int64 { return 2 }

func (h *held) kill() bool {
	if h.told.Inc() == 1 {
		<-h.release
	}
	return true
}

// Pitfall 77: while the killer tells a worker to leave, Trim does not count on that one.
func TestOneKillsAtATime(t *testing.T) {
	crew := &held{release: make(chan struct{})}
	var k killer
	k.init(crew, nil, &options{minimum: 1})
	var both sync.WaitGroup
	both.Go(func() { k.take(2) })
	for crew.told.Load() == 0 {
		runtime.Gosched()
	}
	both.Go(func() { k.take(2) })
	for range 10_000 {
		runtime.Gosched()
	}
	close(crew.release)
	both.Wait()
	require.EqualValues(t, 1, crew.told.Load(), "workers above the minimum")
	require.EqualValues(t, 1, k.killed.Load())
}

// A late is a crew to which something happens when Trim has found that the killer is not
// settled, and does not yet wait.
type late struct {
	crew
	size    int64
	happens func()
}

func (l *late) workers() int64 { return l.size }

func (l *late) isClosed() bool {
	if f := l.happens; f != nil {
		l.happens = nil
		f()
	}
	return false
}

// Pitfall 83: Trim waits for as long as the pool is busy.
func TestTrimMissesNothingThatHappensBeforeItWaits(t *testing.T) {
	for name, c := range map[string]struct {
		told    int64 // workers that have not left
		armed   bool
		happens func(k *killer, l *late)
	}{
		"a worker leaves": {told: 1, happens: func(k *killer, _ *late) { k.noteSwallowed() }},
		"the killer ends": {armed: true, happens: func(k *killer, _ *late) { k.run() }},
		"the killer has work again": {armed: true, happens: func(k *killer, l *late) {
			l.size = 1
			k.noteSpawn(l.size)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var k killer
			l := new(late)
			l.happens = func() { c.happens(&k, l) }
			k.init(l, func() time.Duration { return 0 }, &options{interval: 1})
			k.killed.Store(c.told)
			k.armed.Store(c.armed)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			require.NoError(t, k.settle(ctx))
		})
	}
}

// An endless is a crew in which a worker is idle whenever one is told to leave.
type endless struct {
	crew
	killer *killer
}

func (*endless) workers() int64 { return 1000 }
func (*endless) isClosed() bool { return false }

func (e *endless) kill() bool {
	e.killer.noteSwallowed()
	return true
}

// Trim ends, though workers become idle as fast as it kills them.
func TestTrimKillsAsManyAsWereIdleWhenItBegan(t *testing.T) {
	p := steps(0)
	p.killer.crew = &endless{killer: &p.killer}
	for range 3 {
		p.count.raise()
	}
	require.NoError(t, p.Trim(t.Context()))
	require.EqualValues(t, 3, p.killer.killed.Load())
}

// A meeting is what two sides do at the same moment, after before. The first can ask
// whether the second is over, and says what went wrong.
type meeting struct {
	before func()
	first  func(over func() bool) error
	second func()
}

// meet has four pairs of goroutines meet, as often as there is time. There are more
// threads than processors, so that the system stops one side between any two
// instructions while the other runs. It rarely does so at the one wrong moment: a long
// run looks ten times as long.
func meet(t *testing.T, pair func() meeting) {
	t.Helper()
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	enough := time.Now().Add(time.Duration(race.Scaled(3000*race.Slowdown)) * time.Millisecond)
	var pairs errgroup.Group
	for range 4 {
		m := pair()
		var begun, ended atomic.Int64
		var over atomic.Bool
		pairs.Go(func() error {
			defer over.Store(true)
			for i := int64(1); i == 1 || time.Now().Before(enough); i++ {
				m.before()
				begun.Store(i)
				if err := m.first(func() bool { return ended.Load() == i }); err != nil {
					return err
				}
			}
			return nil
		})
		pairs.Go(func() error {
			for i := int64(1); !over.Load(); {
				if begun.Load() == i {
					m.second()
					ended.Store(i)
					i++
				}
			}
			return nil
		})
	}
	require.NoError(t, pairs.Wait())
}

func TestOneOfManyArmsTheKiller(t *testing.T) {
	meet(t, func() meeting {
		k := &steps(0).killer
		var second bool
		return meeting{
			before: func() { k.disarm() },
			first: func(over func() bool) error {
				first := k.tryArm()
				for !over() {
				}
				if first == second {
					return fmt.Errorf("both armed it, or neither: %t", first)
				}
				return nil
			},
			second: func() { second = k.tryArm() },
		}
	})
}

// Pitfall 13, within nanoseconds: a killer that ends meets the spawn of a spare
// worker, and one killer is left.
func TestEndOfKillerMeetsASpawn(t *testing.T) {
	meet(t, func() meeting {
		p := steps(0)
		p.killer.tryArm()
		p.count.raise()
		var another bool
		return meeting{
			before: func() { p.count.lower() },
			first: func(over func() bool) error {
				goesOn := !p.killer.disarm()
				for !over() {
				}
				if goesOn == another {
					return fmt.Errorf("two killers, or none: %t", goesOn)
				}
				return nil
			},
			second: func() { p.count.raise(); another = p.killer.tryArm() },
		}
	})
}

// Pitfall 12, within nanoseconds: a worker that has a pill counts as gone, at each step
// on its way out. One more pill would take the pool below its minimum.
func TestWorkersWithAPillDoNotCount(t *testing.T) {
	for name, c := range map[string]struct{ spawn, leave func(p *Pool) }{
		"Run": {
			func(p *Pool) { p.count.raise() },
			func(p *Pool) { (&worker{pool: p, pill: true}).leave() },
		},
		"Do": {
			func(p *Pool) { p.Do(func() {}) },
			func(p *Pool) { p.killCoroutine() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			meet(t, func() meeting {
				p := steps(1)
				p.count.raise()
				return meeting{
					before: func() { c.spawn(p); p.killer.killed.Inc() },
					first: func(over func() bool) error {
						for !over() {
							if p.killer.maySpare() {
								return errors.New("below the minimum")
							}
						}
						return nil
					},
					second: func() { c.leave(p) },
				}
			})
		})
	}
}

// Between any two starts of workers, the peak is not below the number of workers.
func TestPeakIsNeverBelowWorkers(t *testing.T) {
	var c count
	var group errgroup.Group
	const goroutines = 4
	n := race.Scaled(1_000_000)
	for range goroutines {
		group.Go(func() error {
			for range n {
				c.raise()
				if workers, peak := c.load(); workers > peak {
					return fmt.Errorf("%d workers and a peak of %d", workers, peak)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	workers, peak := c.load()
	require.EqualValues(t, goroutines*n, workers)
	require.Equal(t, workers, peak)
}

// Others have at most two thirds of the time, and a submitter in its system calls a
// tenth.
func TestTimeSliceGrowsWithTheTurnsOfOthers(t *testing.T) {
	for turn, want := range map[time.Duration]time.Duration{
		0:                      slice,
		200 * time.Microsecond: slice,
		300 * time.Microsecond: 150 * time.Microsecond,
		10 * time.Millisecond:  5 * time.Millisecond,
		30 * time.Millisecond:  longest,
		time.Minute:            longest,
	} {
		require.Equal(t, want, sliceAfter(turn, false), turn)
		require.Equal(t, 2*time.Millisecond, sliceAfter(turn, true), turn)
	}
	require.Less(t, brief, slice)
}

// The first time slice of a worker begins with the first task that is timed while others
// wait, and ends once. Where tasks take long it is shorter.
func TestTimeSliceEndsOnlyWhileTasksWait(t *testing.T) {
	for length, first := range map[time.Duration]time.Duration{
		5 * time.Microsecond:  slice,
		11 * time.Microsecond: brief,
		time.Second:           brief,
	} {
		t.Run(length.String(), func(t *testing.T) { requireSlice(t, length, first) })
	}
}

// requireSlice fails unless the first time slice is as long as this, for a worker of a
// pool whose tasks take so long.
func requireSlice(t *testing.T, length, first time.Duration) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one shard is used
	p := New()
	p.handoff = handoff.New(func(*handoff.Shard, func()) {}) // whose tasks wait for ever
	w := &worker{pool: p, at: p.handoff.Accept()}
	const begin = time.Hour
	measure := func(at time.Duration) {
		w.since = at - length
		w.measure(at)
	}
	for range 100 {
		measure(begin) // until the mean is known
	}
	require.Equal(t, length > first/timing, w.long)
	w.until = begin
	w.begin()
	require.Zero(t, w.until, "a worker that begins")
	measure(begin)
	require.Zero(t, w.until, "no task waits")
	for !w.at.Waits() {
		require.True(t, p.handoff.Submit(func() {}))
	}
	for _, c := range []struct {
		after time.Duration
		over  bool
	}{{0, false}, {first - 1, false}, {first + 1, true}} {
		measure(begin + c.after)
		require.Equal(t, c.over, w.over, c.after)
	}
	require.Nil(t, w.drain(), "the time slice is over")
	require.True(t, w.at.Settle(), "a turn is owed")
	require.NotNil(t, w.drain(), "the next time slice")
}

// The task of a refused spawn may be the last that a closed pool waits for.
func TestShutdownEndsAfterARefusedSpawn(t *testing.T) {
	for name, spawn := range map[string]func(*Pool, *handoff.Shard){
		"Run": func(p *Pool, at *handoff.Shard) { p.spawn(at, func() {}) },
		"Do":  func(p *Pool, at *handoff.Shard) { p.spawnCoroutine(at) },
	} {
		t.Run(name, func(t *testing.T) {
			p := New()
			at := p.handoff.Accept()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			require.Error(t, p.Shutdown(ended), "a task is to come")
			synctest.Test(t, func(t *testing.T) {
				require.Panics(t, func() { spawn(p, at) })
			})
			require.NoError(t, p.Shutdown(ended))
		})
	}
}
