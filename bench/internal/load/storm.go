package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A storm is tasks that all wait for each other: none ends before all of them
// run. A pool that queues one, or loses one, never gets there.
type storm struct {
	load *Load
	bind Bind

	calm    chan struct{} // closed when all tasks run, or when it is given up
	release sync.Once
	fronts  atomic.Int64 // callers whose tasks do not all run yet
}

// front is the part of the storm that one caller submits. The counters and the
// channel that its tasks share are shared with no other front.
type front struct {
	storm   *storm
	waiting atomic.Int64
	_       [cacheLines]byte
	gate    chan struct{}
	open    func() // closes the gate, once
	done    sync.WaitGroup
	submits []func()
	probes  []probe
}

func newStorm(l *Load, bind Bind) *storm { return &storm{load: l, bind: bind} }

// Run makes one storm, however long d is: a second one at the same pool would find
// idle workers.
func (s *storm) Run(ctx context.Context, _ time.Duration) (int, time.Duration, error) {
	fronts := s.fresh((*front).plain)
	elapsed, err := s.rage(ctx, fronts)
	return s.load.Callers * s.load.Storm, elapsed, err
}

func (s *storm) Latencies(ctx context.Context, _ int, _ time.Duration) ([]time.Duration, error) {
	fronts := s.fresh((*front).probed)
	_, err := s.rage(ctx, fronts)
	if err != nil {
		return nil, err
	}
	var all []time.Duration
	for _, f := range fronts {
		for i := range f.probes {
			all = append(all, f.probes[i].latency)
		}
	}
	return all, nil
}

// fresh makes the fronts, with the tasks that add makes for each.
func (s *storm) fresh(add func(*front)) []*front {
	s.calm = make(chan struct{})
	s.release = sync.Once{}
	s.fronts.Store(int64(s.load.Callers))
	fronts := make([]*front, s.load.Callers)
	for i := range fronts {
		f := &front{storm: s, gate: make(chan struct{})}
		f.open = sync.OnceFunc(func() { close(f.gate) })
		f.waiting.Store(int64(s.load.Storm))
		add(f)
		fronts[i] = f
	}
	return fronts
}

// plain gives the front one task to submit again and again.
func (f *front) plain() {
	submit := f.storm.bind(f.task)
	for range f.storm.load.Storm {
		f.submits = append(f.submits, submit)
	}
}

// probed gives the front a task for each probe.
func (f *front) probed() {
	f.probes = make([]probe, f.storm.load.Storm)
	for i := range f.probes {
		p := &f.probes[i]
		submit := f.storm.bind(func() {
			p.started()
			f.task()
		})
		f.submits = append(f.submits, func() {
			p.submitted = now()
			submit()
		})
	}
}

// task waits until all tasks of the storm run.
func (f *front) task() {
	defer f.done.Done()
	if f.waiting.Add(-1) == 0 && f.storm.fronts.Add(-1) == 0 {
		f.storm.end()
	}
	<-f.gate
}

func (s *storm) end() { s.release.Do(func() { close(s.calm) }) }

// rage submits all tasks and waits until they have ended. If ctx ends first, it
// releases the tasks, so that the pool can be closed.
func (s *storm) rage(ctx context.Context, fronts []*front) (time.Duration, error) {
	var all sync.WaitGroup
	start := time.Now()
	for _, f := range fronts {
		all.Go(f.blow)
	}
	err := await(ctx, &all)
	elapsed := time.Since(start)
	if err == nil {
		return elapsed, nil
	}
	err = fmt.Errorf("%d of %d tasks did not start: %w", s.waiting(fronts), s.load.Callers*s.load.Storm, err)
	s.end()
	for _, f := range fronts {
		f.open()
	}
	return elapsed, relent(ctx, &all, err)
}

// blow submits the front's tasks, opens its gate when all of the storm's tasks
// run, and waits until the front's own have ended.
func (f *front) blow() {
	f.done.Add(len(f.submits))
	for _, submit := range f.submits {
		submit()
	}
	<-f.storm.calm
	f.open()
	f.done.Wait()
}

func (s *storm) waiting(fronts []*front) (tasks int64) {
	for _, f := range fronts {
		tasks += f.waiting.Load()
	}
	return tasks
}
