package load

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"example.com/hemlock/bench/internal/usage"
)

// A Wait is how a submitter waits until a task is due.
type Wait string

// The zero value is time.Sleep. The others sleep in a system call that the runtime
// knows of.
const (
	Nanosleep    Wait = "nanosleep"
	LockedThread Wait = "nanosleep, locked to its thread"
)

// Saturating returns the load that measures what the baseline manages of l's tasks,
// back to back. The rate of l is a percentage of that. The sleeps of l's tasks, its
// long tasks, its live heap and its other process are left out.
func (l Load) Saturating() Load {
	return Load{
		Name: "saturation", Callers: PerProcessor, Batch: 1000,
		Work: l.Work, Mixed: l.Mixed, Stack: l.Stack, Garbage: l.Garbage,
	}
}

// schedule submits each task when it is due. Delays count from then, however
// late the submitter is.
type schedule struct {
	load          *Load
	bind          Bind
	delay, starts *hdrhistogram.Histogram
}

func newSchedule(l *Load, bind Bind) *schedule { return &schedule{load: l, bind: bind} }

// An arrival is one task. The times are since the beginning.
type arrival struct {
	due    time.Duration
	times  int // how many times the work of the load
	blocks bool

	started, ended time.Duration
}

// plan returns the arrivals within the time d, in order. Equal seeds have equal
// arrivals.
func (l *Load) plan(d time.Duration) []arrival {
	random := rand.New(rand.NewPCG(l.Seed, 0))
	var all []arrival
	gap := func() time.Duration { return time.Duration(random.ExpFloat64() / l.PerSecond * float64(time.Second)) }
	for due := gap(); due < d || all == nil; due += gap() {
		a := arrival{due: due, times: 1, blocks: l.BlockEvery > 0 && random.IntN(l.BlockEvery) == 0}
		if l.Mixed {
			a.times = draw(random.Float64())
		}
		all = append(all, a)
	}
	if l.Long > 0 {
		all = append(all, l.longOnes(d)...)
		slices.SortFunc(all, func(a, b arrival) int { return cmp.Compare(a.due, b.due) })
	}
	return all
}

// longOnes returns long tasks at even distances. They take a tenth of the processor
// time that saturates the baseline, beside the rate. They are due in the first half of
// the time, so that the last one ends among the others.
func (l *Load) longOnes(d time.Duration) []arrival {
	capacity := l.PerSecond / (float64(l.Rate) / 100) * l.Work.Seconds() // processors
	every := time.Duration(float64(l.Long) / (capacity / 10))
	var all []arrival
	for due := min(every, d/2) / 2; due <= d/2; due += every {
		all = append(all, arrival{due: due, times: int(l.Long / l.Work)})
	}
	return all
}

// Run makes the tasks before the clock starts.
func (s *schedule) Run(ctx context.Context, d time.Duration) (tasks int, elapsed time.Duration, err error) {
	plan := s.load.plan(max(d, 10*s.load.Long))
	var all sync.WaitGroup
	var begin time.Duration
	rest := *s.load
	rest.Block = 0
	submits := make([]func(), len(plan))
	for i := range plan {
		a, l := &plan[i], &rest
		if a.blocks {
			l = s.load
		}
		submits[i] = s.bind(func() {
			a.started = now() - begin
			l.do(a.times)
			a.ended = now() - begin
			all.Done()
		})
	}
	all.Add(len(plan))
	stop := new(flag)
	begin = now()
	all.Go(func() {
		s.submit(plan, submits, begin, stop)
	})
	if err := await(ctx, &all); err != nil {
		stop.Store(true)
		return 0, 0, fmt.Errorf("a task did not end: %w; %w", err, ErrAbandoned)
	}
	s.take(plan)
	for _, a := range plan {
		elapsed = max(elapsed, a.ended)
	}
	return len(plan), elapsed, nil
}

// submit is the submitter.
func (s *schedule) submit(plan []arrival, submits []func(), begin time.Duration, stop *flag) {
	sleep := time.Sleep
	if s.load.Wait != "" {
		sleep = usage.Nanosleep
	}
	if s.load.Wait == LockedThread {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	for i, submit := range submits {
		for early := plan[i].due; early > 0; {
			if early = begin + plan[i].due - now(); early > 0 {
				sleep(early)
			}
		}
		if stop.Load() {
			return
		}
		submit()
	}
}

// take records the delays: how long the long tasks ran, or, in a load without them,
// how long after it was due each task ended and started.
func (s *schedule) take(plan []arrival) {
	s.delay, s.starts = newHistogram(), newHistogram()
	for _, a := range plan {
		switch {
		case s.load.Long == 0:
			record(s.delay, a.ended-a.due, 1)
			record(s.starts, a.started-a.due, 1)
		case a.times > 1:
			record(s.delay, a.ended-a.started, 1)
		}
	}
}

// Delays implements [Watched].
func (s *schedule) Delays() (delay, start *hdrhistogram.Histogram) { return s.delay, s.starts }

// Latencies returns none: [schedule.Delays] has them.
func (s *schedule) Latencies(context.Context, int, time.Duration) ([]time.Duration, error) {
	return nil, nil
}
