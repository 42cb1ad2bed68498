package fuzz_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

var (
	soakTime = flag.Duration("soak", time.Second, "how long to load pools")
	soakSeed = flag.Uint64("seed", rand.Uint64(), "seed of the random choices")
)

// TestSoak has several drivers at once do random operations to each of several pools,
// side by side. Meanwhile the number of processors changes, and garbage is made. At the end
// every count balances, and goroutines, heap and stacks are back where they were. With the
// same seed it makes the same choices, but the scheduler does not.
func TestSoak(t *testing.T) {
	s := newSoak(*soakSeed)
	report, err := s.run(*soakTime)
	t.Log(report)
	require.NoError(t, err, "seed %d", *soakSeed)
}

const (
	poolsAtOnce = 3
	drivers     = 6 // of each pool

	// Most of what a driver may do, with numbers that are small enough for little
	// memory, and how it may close a pool.
	operationsAtOnce = "abccccdefghlmnopvvw"
	closings         = "ijk"
	largest          = 20
	longestTape      = 120
)

// A soak is one run: epochs of load, each on fresh pools.
type soak struct {
	// Immutable after newSoak, except for tests.
	random   *rand.Rand     // used by the goroutine of run alone
	patience time.Duration  // to reach the footprint of the start
	fault    func(*subject) // done once to each subject; tests break a promise here

	epochs  int
	tasks   int64
	workers int64 // most workers that one epoch can have had at once
}

func newSoak(seed uint64) *soak {
	return &soak{
		random:   rand.New(rand.NewPCG(seed, 0)),
		patience: time.Minute,
		fault:    func(*subject) {},
	}
}

// run loads pools for the given time, and returns what was wrong, if anything.
// One epoch goes before the measurement of what must be reached again: it lets
// the runtime make what it keeps.
func (s *soak) run(length time.Duration) (report string, err error) {
	quiet := *s
	quiet.fault = func(*subject) {}
	if err := quiet.epoch(); err != nil {
		return "", err
	}
	before := measure()
	if err := s.load(length); err != nil {
		return "", err
	}
	after, err := before.reached(s.workers, s.patience)
	return fmt.Sprintf("%d tasks in %d epochs, at most %d workers at once; at the start %+v, at the end %+v",
		s.tasks, s.epochs, s.workers, before, after), err
}

// load runs epochs, one after the other, in the midst of chaos.
func (s *soak) load(length time.Duration) error {
	stop := startChaos(s.random.Uint64())
	defer stop()
	for end := time.Now().Add(length); time.Now().Before(end); {
		if err := s.epoch(); err != nil {
			return err
		}
	}
	return nil
}

// epoch loads some new pools until they have ended.
func (s *soak) epoch() error {
	w := new(witness)
	var subjects []*subject
	var all sync.WaitGroup
	for range 1 + s.random.IntN(poolsAtOnce) {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 1))
		one, _ := newSubject(w, randomTape(random, "h", 1, 1), 1000)
		subjects = append(subjects, one)
		all.Go(func() { one.load(random, s.fault) })
	}
	all.Wait()
	var workers int64
	for _, one := range subjects {
		workers += one.pool.Stats().PeakWorkers
		s.tasks += one.ran.Load()
	}
	s.workers = max(s.workers, workers)
	s.epochs++
	return w.err()
}

// load has drivers load the pool until each has come to the end of its tape, one of
// which may close the pool midway. Then it ends the pool, and audits the counts. Drivers
// are tasks of the pool as well.
func (s *subject) load(random *rand.Rand, fault func(*subject)) {
	busy := atomic.NewInt64(drivers)
	var watch sync.WaitGroup
	watch.Go(func() { s.watch(hemlock.Stats{}, busy) })
	defer busy.Store(0)
	for i := range drivers {
		kinds := operationsAtOnce
		if i == 0 && random.IntN(3) == 0 {
			kinds = strings.Repeat(kinds, 8) + closings
		}
		d := s.newDriver(&pooltest.Tape{Rest: randomTape(random, kinds, longestTape, largest)[6:]})
		drive := func() { defer busy.Dec(); d.run() }
		switch random.IntN(3) {
		case 0:
			go drive()
		case 1:
			s.started.Inc()
			s.pool.Run(func() { s.enter(); drive() })
		case 2:
			s.started.Inc()
			go s.pool.Do(func() { s.enter(); drive() })
		}
	}
	s.eventually("all drivers have come to their end", func() bool { return busy.Load() <= 0 })
	watch.Wait()
	midway := s.closing.Load()
	fault(s)
	s.end()
	s.audit(midway)
}

// watch looks at the counts of a pool at work.
func (s *subject) watch(last hemlock.Stats, busy *atomic.Int64) {
	for ; busy.Load() > 0; runtime.Gosched() {
		now := s.pool.Stats()
		require.NoError(s.t, pooltest.CheckBounds(last, now))
		last = now
	}
}

// end waits until the pool has ended. Tasks that have not ended may start others.
func (s *subject) end() {
	drains := !s.shutDown && !s.closing.Load()
	if !s.closing.Load() {
		s.eventually("all tasks have ended, and a dropped pool drains", func() bool {
			now := s.pool.Stats()
			return now.Submitted == now.Completed && (!drains || now.Workers == 0)
		})
	}
	if drains {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.patience)
	defer cancel()
	require.NoError(s.t, s.shutdown(ctx))
}

// audit compares what is known of the tasks with the counts of the pool that has ended.
// How many tasks Run and Do have started after a Shutdown is not known. Shutdown does not
// wait for them.
func (s *subject) audit(midway bool) {
	s.eventually("all tasks have run", func() bool {
		return s.ran.Load() >= s.started.Load() && s.handled.Load() >= s.panicked.Load()
	})
	now, started, panicked := s.pool.Stats(), s.started.Load(), s.panicked.Load()
	require.Equal(s.t, started, s.ran.Load(), "tasks run")
	require.Equal(s.t, panicked, s.handled.Load(), "panics handled")
	require.LessOrEqual(s.t, now.Submitted, started, "tasks submitted")
	require.LessOrEqual(s.t, now.Panicked, panicked, "tasks panicked")
	if !midway {
		require.Equal(s.t, started, now.Submitted, "tasks submitted")
		require.Equal(s.t, panicked, now.Panicked, "tasks panicked")
	}
	require.Equal(s.t, now.Submitted, now.Completed, "tasks completed")
	require.Zero(s.t, now.Waiting, "tasks waiting")
	require.Zero(s.t, now.Workers, "workers left")
	require.LessOrEqual(s.t, now.Killed, now.Spawned, "workers killed or replaced")
}

// eventually requires that ok holds within the patience of the subject.
func (s *subject) eventually(what string, ok func() bool) {
	if !pooltest.Within(s.patience, ok) {
		require.Failf(s.t, "too late", "waited %v in vain until %s: %v", s.patience, what, s.pool.Stats())
	}
}

// A witness takes down what fails first, and ends the goroutine of a require.
type witness struct {
	mu   sync.Mutex // guards what
	what error
}

func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.what == nil {
		w.what = fmt.Errorf(format, args...)
	}
}

func (*witness) FailNow() { runtime.Goexit() }

func (w *witness) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.what
}

// A soak that cannot fail proves nothing: each fault that it looks for is
// committed here, and must be reported.
func TestSoakFindsFaults(t *testing.T) {
	var release chan struct{}
	kept := make(chan []byte, 1000)
	for want, fault := range map[string]func(*subject){
		"goroutines:":    func(*subject) { go func(release chan struct{}) { <-release }(release) },
		"bytes of heap:": func(*subject) { kept <- make([]byte, 16<<20) },
		"in vain until all tasks have run": func(s *subject) {
			s.end()
			s.patience = time.Millisecond
			s.handled.Dec()
		},
		"tasks run":               func(s *subject) { s.ran.Inc() },
		"panics handled":          func(s *subject) { s.handled.Add(1 << 40) },
		"a total fell":            func(s *subject) { s.watch(hemlock.Stats{Submitted: 1 << 40}, atomic.NewInt64(1)) },
		"refused by an open pool": func(s *subject) { s.refuseSilently() },
		" running, ": func(s *subject) {
			s.patience = time.Millisecond
			s.closing.Store(true)
			s.pool.Run(func() { <-release })
		},
		"a dropped pool drains": func(s *subject) {
			s.patience, s.shutDown = time.Millisecond, false
			s.closing.Store(false)
			s.pool.Run(func() { <-release })
		},
	} {
		t.Run(want, func(t *testing.T) {
			release = make(chan struct{})
			var pools sync.Map
			before := measure()
			s := newSoak(7)
			s.patience = time.Millisecond
			s.fault = func(one *subject) { pools.Store(one.pool, true); fault(one) }
			_, err := s.run(10 * time.Millisecond)
			close(release)
			pools.Range(func(p, _ any) bool { return assert.NoError(t, p.(*hemlock.Pool).Shutdown(context.Background())) })
			for len(kept) > 0 {
				<-kept
			}
			require.ErrorContains(t, err, want)
			_, err = before.reached(s.workers, time.Minute)
			require.NoError(t, err)
		})
	}
}

// refuseSilently has the pool refuse a task though no driver has closed it.
func (s *subject) refuseSilently() {
	_ = s.pool.Shutdown(pooltest.Ended())
	s.closing.Store(false)
	s.newDriver(&pooltest.Tape{Rest: []byte("a000")}).run()
}
