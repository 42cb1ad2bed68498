package main

import (
	"iter"
	"sync"

	"example.com/hemlock"
)

// borrower returns Do of the pool, or of lender where the pool has none.
func borrower(pool *hemlock.Pool) func(task func()) {
	if p, ok := any(pool).(interface{ Do(task func()) }); ok {
		return p.Do
	}
	return new(lender).Do
}

// A lender is the least that calls tasks on stacks that are kept: a list of
// coroutines, last in, first out. It never ends one, and a task must return.
type lender struct {
	mu   sync.Mutex
	idle []*coroutine // guarded by mu
}

type coroutine struct {
	task   func()
	resume func() (struct{}, bool)
}

// Do calls the task on a borrowed stack.
func (l *lender) Do(task func()) {
	c := l.take()
	c.task = task
	c.resume()
	c.task = nil
	l.mu.Lock()
	l.idle = append(l.idle, c)
	l.mu.Unlock()
}

func (l *lender) take() *coroutine {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := len(l.idle) - 1; last >= 0 {
		c := l.idle[last]
		l.idle = l.idle[:last]
		return c
	}
	c := new(coroutine)
	c.resume, _ = iter.Pull(func(yield func(struct{}) bool) {
		for {
			c.task()
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return c
}
