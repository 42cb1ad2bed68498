package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"example.com/hemlock"
	"golang.org/x/sync/errgroup"
)

// poolsAtOnce is how many pools an epoch loads side by side at most: nothing is
// shared between pools, and a run with several would show it if it were.
const poolsAtOnce = 3

// A soak is one run: epochs of load, each on fresh pools.
type soak struct {
	// Immutable after newSoak, except for tests.
	out      io.Writer
	random   *rand.Rand    // used by the goroutine of run alone
	patience time.Duration // to reach the footprint of the start
	fault    func(*load)   // done once in each load; tests break a promise here

	epochs  int
	workers int64 // most workers that one epoch can have had at once
	totals  hemlock.Stats
}

func newSoak(seed uint64, out io.Writer) *soak {
	return &soak{
		out:      out,
		random:   rand.New(rand.NewPCG(seed, 0)),
		patience: time.Minute,
		fault:    func(*load) {},
	}
}

// run loads pools for the given time and returns what was wrong, if anything.
// One epoch goes before the measurement of what must be reached again: it lets
// the runtime make what it keeps.
func (s *soak) run(length time.Duration) error {
	quiet := *s
	quiet.fault = func(*load) {}
	if err := quiet.epoch(); err != nil {
		return err
	}
	before := measure()
	if err := s.load(length); err != nil {
		return err
	}
	after, err := before.reached(s.workers, s.patience)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(s.out, "soak: %d epochs, at most %d workers at once, %d garbage collections, %d MiB from the system: %v\n",
		s.epochs, s.workers, m.NumGC, m.Sys>>20, s.totals)
	fmt.Fprintf(s.out, "soak: at the start %v\nsoak: at the end   %v\n", before, after)
	return err
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
	loads := make([]*load, 1+s.random.IntN(poolsAtOnce))
	var group errgroup.Group
	for i := range loads {
		l := newLoad(s.random.Uint64())
		loads[i] = l
		group.Go(func() error { return l.run(s.fault) })
	}
	err := group.Wait()
	var workers int64
	for _, l := range loads {
		workers += l.pool.Stats().PeakWorkers
		s.count(l.pool.Stats())
	}
	s.workers = max(s.workers, workers)
	s.epochs++
	return err
}

// count adds the totals of a pool that has ended.
func (s *soak) count(one hemlock.Stats) {
	s.totals.Submitted += one.Submitted
	s.totals.Completed += one.Completed
	s.totals.Panicked += one.Panicked
	s.totals.Spawned += one.Spawned
	s.totals.Killed += one.Killed
	s.totals.Recycled += one.Recycled
	s.totals.PeakWorkers = max(s.totals.PeakWorkers, one.PeakWorkers)
}
