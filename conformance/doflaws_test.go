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
	"example.com/hemlock/conformance/internal/broken"
	"example.com/hemlock/conformance/self"
)

var errRefused = errors.New("refused")

// callsDirectly is no Do at all.
var callsDirectly = does(func(_ self.Pool, task func()) { task() })

// apart makes the call on another goroutine, and waits until it has ended.
func apart(call func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		call()
	}()
	<-ended
}

// throwsAgain recovers from a panic of the call, and panics with what is made of it.
func throwsAgain(as func(v any) any) func(settings) pool {
	return wrapsDo(func(call func()) {
		defer func() {
			if v := recover(); v != nil {
				panic(as(v))
			}
		}()
		call()
	})
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

// waits breaks the Wait of a group.
func waits(wait func(g conformance.Group) error) func(settings) pool {
	return groups(func(p self.Pool) conformance.Group { return waiter{p.Group(), wait} })
}

var doingFlaws = []flaw{
	{"does not wait", "do-returns-after-task", "had not ended", does(func(_ self.Pool, task func()) { go task() })},
	{"runs a task twice", "do-returns-after-task", "ran 2 times", wrapsDo(func(call func()) { call(); call() })},
	{"takes its time", "do-returns-after-task", "took 2s", wrapsDo(func(call func()) { call(); time.Sleep(time.Second) })},
	{"has one worker", "do-nests", "1 run", breaks(func(p self.Pool, b *broken.Pool) {
		place := make(chan struct{}, 1)
		b.OnDo = func(task func()) {
			place <- struct{}{}
			defer func() { <-place }()
			p.Do(task)
		}
	})},
	{"recovers", "do-passes-panic", "returned from a task that panicked", wrapsDo(recovers)},
	{
		"turns the panic into text", "do-passes-panic", "not the value",
		throwsAgain(func(v any) any { return fmt.Sprint(v) }),
	},
	{"tells no handler", "do-passes-panic", "was not called", callsDirectly},
	{"tells without the stack", "do-passes-panic", "does not show the task", dropsStack},
	{"tells once a level", "do-tells-once", "was told 11 times", throwsAgain(func(v any) any { return v })},
	{"knows a panic by its value", "do-tells-each-panic", "told 1 times of three", mistakes(func(s *settings) {
		var seen sync.Map
		h := s.PanicHandler
		s.PanicHandler = func(v any, stack []byte) {
			if _, known := seen.LoadOrStore(v, true); !known {
				h(v, stack)
			}
		}
	})},
	{
		"tells of what was recovered", "do-lets-aborts-pass", "told 10 times of panics that tasks had recovered",
		func(s settings) pool {
			return does(func(p self.Pool, task func()) {
				p.Do(task)
				s.PanicHandler(errRefused, nil)
			})(s)
		},
	},
	{
		"loses its worker", "do-lets-aborts-pass", "ran on 10 goroutines",
		mistakes(func(s *settings) { s.MaxTasksPerWorker = 1 }),
	},
	{"inherits labels", "do-labels-not-inherited", "an idle worker of Do carries labels", uncleanDo},
	{"gives each task labels", "do-labels-not-inherited", "labels on a worker", does(func(p self.Pool, task func()) {
		p.Do(func() {
			pprof.Do(context.Background(), pprof.Labels("flaw", "left-over"), func(context.Context) { task() })
		})
	})},
	{"outlives Goexit", "do-passes-goexit", "returned from a task that called Goexit", wrapsDo(apart)},
	{"takes Goexit for a panic", "do-passes-goexit", "became a panic", wrapsDo(takesGoexitForPanic)},
	{"counts nothing", "do-is-counted", "in task 1", callsDirectly},
	{"counts late", "do-is-counted", "after 1 calls", does(func(p self.Pool, task func()) {
		began := make(chan struct{})
		go p.Do(func() {
			task()
			close(began)
			time.Sleep(time.Hour)
		})
		<-began
	})},
	{"is not waited for", "shutdown-waits-for-do", "had not ended", callsDirectly},
	{"is late", "shutdown-waits-for-do", "returned after 11s", shutsDownLate},
	{"takes another goroutine", "do-after-shutdown", "another goroutine", wrapsDo(apart)},
	{
		"drops what comes late", "do-after-shutdown", "did not run",
		closes(func(p self.Pool, b *broken.Pool, closed *atomic.Bool) {
			b.OnDo = func(task func()) {
				if !closed.Load() {
					p.Do(task)
				}
			}
		}),
	},
	{
		"does not wait", "group-runs-all", "had run when Wait returned",
		waits(func(conformance.Group) error { return nil }),
	},
	{"knows no order", "group-runs-all", "not the first error", groups(func(p self.Pool) conformance.Group {
		return &byHand{start: p.Run, last: true}
	})},
	{
		"forgets a task that did not return", "group-names-lost-tasks", "returned nil",
		groups(func(p self.Pool) conformance.Group { return &byHand{start: p.Run} }),
	},
	{"drops what comes late", "group-after-shutdown", "did not run", groups(func(p self.Pool) conformance.Group {
		return &byHand{start: p.Run, late: p.Submit(func() {}) != nil}
	})},
	{
		"loses the error", "group-after-shutdown", "not the task's error",
		waits(func(g conformance.Group) error { _ = g.Wait(); return nil }),
	},
}
