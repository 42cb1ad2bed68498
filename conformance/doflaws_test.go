package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
)

// does breaks Do.
func does(f func(p self.Pool, task func())) func(settings) pool {
	return func(s settings) pool {
		p := self.New(s)
		return broken{Pool: p, do: func(task func()) { f(p, task) }}
	}
}

// groups breaks the groups.
func groups(f func(p self.Pool) conformance.Group) func(settings) pool {
	return func(s settings) pool {
		p := self.New(s)
		return broken{Pool: p, group: func() conformance.Group { return f(p) }}
	}
}

// callsDirectly is no Do at all.
var callsDirectly = does(func(_ self.Pool, task func()) { task() })

// apart calls Do on another goroutine, and waits until it has ended.
func apart(p self.Pool, task func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Do(task)
	}()
	<-ended
}

// uncleanDo runs the tasks of Do on the workers of a line, with no hygiene at all.
func uncleanDo(s settings) pool {
	l := newLine(s)
	return does(func(_ self.Pool, task func()) {
		ended := make(chan struct{})
		_ = l.Submit(func() {
			defer close(ended)
			task()
		})
		<-ended
	})(s)
}

var doingFlaws = []flaw{
	{"does not wait", "do-returns-after-task", "had not ended", does(func(_ self.Pool, task func()) { go task() })},
	{"runs a task twice", "do-returns-after-task", "ran 2 times", does(func(p self.Pool, task func()) { p.Do(task); p.Do(task) })},
	{"has one worker", "do-nests", "not within", func(s settings) pool {
		p := self.New(s)
		place := make(chan struct{}, 1)
		return broken{Pool: p, do: func(task func()) {
			place <- struct{}{}
			defer func() { <-place }()
			p.Do(task)
		}}
	}},
	{"recovers", "do-passes-panic", "returned from a task that panicked", does(func(p self.Pool, task func()) {
		defer func() { _ = recover() }()
		p.Do(task)
	})},
	{"turns the panic into text", "do-passes-panic", "not the value", does(func(p self.Pool, task func()) {
		defer func() {
			if v := recover(); v != nil {
				panic(fmt.Sprint(v))
			}
		}()
		p.Do(task)
	})},
	{"tells no handler", "do-passes-panic", "told 0 times", callsDirectly},
	{"tells without the stack", "do-passes-panic", "does not show the task", handles(func(h func(any, []byte), v any, _ []byte) { h(v, nil) })},
	{"tells once a level", "do-tells-once", "was told 11 times", does(func(p self.Pool, task func()) {
		defer func() {
			if v := recover(); v != nil {
				panic(v)
			}
		}()
		p.Do(task)
	})},
	{"knows a panic by its value", "do-tells-each-panic", "told 1 times of three", func(s settings) pool {
		seen := sync.Map{}
		return handles(func(h func(any, []byte), v any, stack []byte) {
			if _, known := seen.LoadOrStore(v, true); !known {
				h(v, stack)
			}
		})(s)
	}},
	{"tells of what was recovered", "do-lets-aborts-pass", "told 10 times of panics that tasks had recovered", func(s settings) pool {
		return does(func(p self.Pool, task func()) {
			p.Do(task)
			s.PanicHandler(errRefused, nil)
		})(s)
	}},
	{"loses its worker", "do-lets-aborts-pass", "ran on 10 goroutines", mistakes(func(s *settings) { s.MaxTasksPerWorker = 1 })},
	{"inherits labels", "do-labels-not-inherited", "an idle worker of Do carries labels", uncleanDo},
	{"gives each task labels", "do-labels-not-inherited", "labels on a worker", does(func(p self.Pool, task func()) {
		p.Do(func() {
			pprof.Do(context.Background(), pprof.Labels("flaw", "left-over"), func(context.Context) { task() })
		})
	})},
	{"outlives Goexit", "do-passes-goexit", "returned from a task that called Goexit", does(apart)},
	{"takes Goexit for a panic", "do-passes-goexit", "became a panic", does(func(p self.Pool, task func()) {
		returned := false
		defer func() {
			if !returned {
				panic("the task did not return")
			}
		}()
		p.Do(task)
		returned = true
	})},
	{"counts nothing", "do-is-counted", "as submitted", callsDirectly},
	{"counts late", "do-is-counted", "as completed", does(func(p self.Pool, task func()) {
		began := make(chan struct{})
		go p.Do(func() {
			task()
			close(began)
			time.Sleep(time.Hour)
		})
		<-began
	})},
	{"is not waited for", "shutdown-waits-for-do", "had not ended", callsDirectly},
	{"takes another goroutine", "do-after-shutdown", "another goroutine", does(apart)},
	{"drops what comes late", "do-after-shutdown", "did not run", func(s settings) pool {
		p := self.New(s)
		var closed atomic.Bool
		return broken{
			Pool: p,
			do: func(task func()) {
				if !closed.Load() {
					p.Do(task)
				}
			},
			shutdown: func(ctx context.Context) error {
				closed.Store(true)
				return p.Shutdown(ctx)
			},
		}
	}},
	{"does not wait", "group-runs-all", "had run when Wait returned", groups(func(p self.Pool) conformance.Group {
		return &hasty{Group: p.Group()}
	})},
	{"knows no order", "group-runs-all", "not the first error", groups(func(p self.Pool) conformance.Group {
		return &byHand{start: p.Run, last: true}
	})},
	{"forgets a task that did not return", "group-names-lost-tasks", "returned nil", groups(func(p self.Pool) conformance.Group {
		return &byHand{start: p.Run}
	})},
	{"drops what comes late", "group-after-shutdown", "did not run", groups(func(p self.Pool) conformance.Group {
		return &byHand{start: p.Run, late: p.Submit(func() {}) != nil}
	})},
	{"loses the error", "group-after-shutdown", "not the task's error", groups(func(p self.Pool) conformance.Group {
		return &mute{Group: p.Group()}
	})},
}

// A hasty group does not wait for its tasks.
type hasty struct{ conformance.Group }

func (hasty) Wait() error { return nil }

// A mute group waits, and says nothing.
type mute struct{ conformance.Group }

func (m mute) Wait() error {
	_ = m.Group.Wait()
	return nil
}

// byHand is a group without the package group: a WaitGroup and an error.
type byHand struct {
	start func(task func())
	last  bool // of two errors the last wins
	late  bool // the pool is closed, and so nothing is started

	all sync.WaitGroup
	mu  sync.Mutex // guards err
	err error
}

func (g *byHand) Go(f func() error) {
	if g.late {
		return
	}
	g.all.Add(1)
	g.start(func() {
		defer g.all.Done()
		g.note(f())
	})
}

func (g *byHand) note(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil && (g.last || g.err == nil) {
		g.err = err
	}
}

func (g *byHand) Wait() error {
	g.all.Wait()
	return errors.Join(g.err)
}
