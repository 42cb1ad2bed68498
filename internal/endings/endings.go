// Package endings has the ways in which a task can end. They are no part of the
// tests, so that a plugin can have its own copy.
package endings

import (
	"context"
	"os"
	"runtime"

	"example.com/hemlock"
	"go.uber.org/atomic"
)

// An Ending is a way in which a task can end.
type Ending struct {
	Name string
	Task func()

	// Crash is what the process prints that ends so without a handler. It is empty
	// if no panic is left at the end.
	Crash string

	Stays bool // the task returns, so its worker stays
}

// All are the endings. The tasks panic by the function raise, or by themselves in
// code that captures something: a plugin shares the functions that capture nothing
// with its host.
func All(raise func(v any)) []Ending {
	var empty []int
	var null *int
	return []Ending{
		{Name: "return", Task: func() {}, Stays: true},
		{Name: "recovered panic", Stays: true, Task: func() {
			defer func() { _ = recover() }()
			raise("recovered")
		}},
		{Name: "nested panic recovered", Stays: true, Task: func() {
			defer func() { _ = recover() }()
			defer func() { defer func() { _ = recover() }(); raise("inner") }()
			raise("outer")
		}},
		{Name: "Goexit", Task: runtime.Goexit},
		{Name: "Goexit after a panic", Task: func() {
			defer runtime.Goexit()
			raise("dropped")
		}},
		{Name: "Goexit after a recovered panic", Task: func() {
			defer func() { _ = recover(); runtime.Goexit() }()
			raise("recovered")
		}},
		{Name: "panic after Goexit, recovered", Task: func() {
			defer func() { _ = recover() }()
			defer func() { raise("recovered") }()
			runtime.Goexit()
		}},
		{Name: "panic", Crash: "panic: task panic", Task: func() { raise("task panic") }},
		{Name: "nil panic", Crash: "panic called with nil argument", Task: func() { raise(nil) }},
		{Name: "runtime error", Crash: "index out of range", Task: func() { empty[runtime.NumCPU()]++ }},
		{Name: "nil dereference", Crash: "nil pointer dereference", Task: func() { *null = 1 }},
		{Name: "panic after Goexit", Crash: "panic: late panic", Task: func() {
			defer func() { raise("late panic") }()
			runtime.Goexit()
		}},
		{Name: "panic after a panic", Crash: "panic: second panic", Task: func() {
			defer func() { raise("second panic") }()
			raise("first panic")
		}},
		{Name: "panic again after recover", Crash: "panic: again", Task: func() {
			defer func() { _ = recover(); raise("again") }()
			raise("first panic")
		}},
		{Name: "nested recovered panic", Crash: "panic: outer", Task: func() {
			defer func() { defer func() { _ = recover() }(); raise("inner") }()
			raise("outer")
		}},
	}
}

// Told runs the task by Run, and in a task of Do by the inner Do, on a pool with a
// panic handler, and returns how often the handler was told.
func Told(inner func(*hemlock.Pool, func()), task func()) int64 {
	var told atomic.Int64
	p := hemlock.New(hemlock.WithPanicHandler(func(any, []byte) { told.Inc() }))
	p.Run(task)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = recover() }()
		p.Do(func() { inner(p, task) })
	}()
	<-ended
	_ = p.Shutdown(context.Background())
	return told.Load()
}

// Do is Pool.Do of the copy of the package that Do is in.
func Do(p *hemlock.Pool, task func()) { p.Do(task) }

// CrashDuringShutdown runs the task on a pool while main waits in Shutdown and
// then exits as if all were well.
func CrashDuringShutdown(p *hemlock.Pool, task func()) {
	started := make(chan struct{})
	p.Run(func() {
		<-started
		task()
	})
	close(started)
	_ = p.Shutdown(context.Background())
	os.Exit(0)
}

// CrashBehindShortTasks is CrashDuringShutdown for a task that is left, with many
// short ones, to a worker on its way.
func CrashBehindShortTasks(task func()) {
	runtime.GOMAXPROCS(1)
	p := hemlock.New()
	for range 1000 {
		p.Run(func() {})
	}
	p.Run(task)
	for range 1000 {
		p.Run(func() {})
	}
	_ = p.Shutdown(context.Background())
	os.Exit(0)
}
