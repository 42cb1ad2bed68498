package conformance_test

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
)

var errRefused = errors.New("refused")

// broken is hemlock with some of its methods replaced by worse ones.
type broken struct {
	self.Pool
	submit   func(task func()) error
	run      func(task func())
	shutdown func(ctx context.Context) error
	stats    func(s *conformance.Stats)
	do       func(task func())
	group    func() conformance.Group
}

func (b broken) Do(task func()) {
	if b.do != nil {
		b.do(task)
		return
	}
	b.Pool.Do(task)
}

func (b broken) Group() conformance.Group {
	if b.group != nil {
		return b.group()
	}
	return b.Pool.Group()
}

func (b broken) Submit(task func()) error {
	if b.submit != nil {
		return b.submit(task)
	}
	return b.Pool.Submit(task)
}

func (b broken) Run(task func()) {
	if b.run != nil {
		b.run(task)
		return
	}
	b.Pool.Run(task)
}

func (b broken) Shutdown(ctx context.Context) error {
	if b.shutdown != nil {
		return b.shutdown(ctx)
	}
	return b.Pool.Shutdown(ctx)
}

func (b broken) Stats() conformance.Stats {
	s := b.Pool.Stats()
	if b.stats != nil {
		b.stats(&s)
	}
	return s
}

// A spawner starts a goroutine for each task and waits for all of them. Its end
// function decides what happens when a task has ended.
type spawner struct {
	tasks sync.WaitGroup
	body  func(s *spawner, task func())
}

func (s *spawner) Submit(task func()) error {
	s.tasks.Add(1)
	go s.body(s, task)
	return nil
}

func (s *spawner) Shutdown(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		s.tasks.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handle runs the task and forwards its panic to the handler, as a pool does that
// counts a task as done after the call of the handler.
func handle(h func(any, []byte)) func(*spawner, func()) {
	return func(s *spawner, task func()) {
		defer func() {
			if v := recover(); v != nil {
				h(v, debug.Stack())
			}
			s.tasks.Done()
		}()
		task()
	}
}

// A line is a pool of workers that wait on one channel, with no hygiene at all.
type line struct {
	tasks   chan func()
	maximum int // tasks per worker; 0 means no maximum
}

func newLine(s conformance.Settings) *line {
	return &line{tasks: make(chan func()), maximum: s.MaxTasksPerWorker}
}

func (l *line) Submit(task func()) error {
	select {
	case l.tasks <- task:
	default:
		go l.work(task)
	}
	return nil
}

func (l *line) work(task func()) {
	for n := 1; task != nil; n++ {
		task()
		if n == l.maximum {
			return
		}
		task = <-l.tasks
	}
}

// kill sends pills that wait for a worker.
func (l *line) kill(interval time.Duration) {
	for {
		time.Sleep(interval)
		l.tasks <- nil
	}
}

// A thief is a line in which a newborn gets its task through the channel, so
// that another submitter can take it away.
type thief struct {
	line
	mu      sync.Mutex // guards submits
	submits time.Duration
}

func (t *thief) Submit(task func()) error {
	t.mu.Lock()
	t.submits++
	turn := t.submits
	t.mu.Unlock()
	time.Sleep(turn * time.Microsecond) // one after the other
	select {
	case t.tasks <- task:
	default:
		go t.work(func() {})
		time.Sleep(5 * time.Microsecond) // others come in between
		t.tasks <- task
	}
	return nil
}

// A chain has one worker on its way as long as tasks wait, which starts the next. The
// runtime runs a goroutine that was just started next, so no other goroutine has a turn
// until it preempts a task.
type chain struct {
	mu    sync.Mutex // guards tasks
	tasks []func()
}

func (c *chain) Submit(task func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tasks = append(c.tasks, task); len(c.tasks) == 1 {
		go c.work()
	}
	return nil
}

func (c *chain) work() {
	c.mu.Lock()
	task := c.tasks[0]
	if c.tasks = c.tasks[1:]; len(c.tasks) > 0 {
		go c.work()
	}
	c.mu.Unlock()
	task()
}
