package conformance_test

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/internal/broken"
	"example.com/hemlock/conformance/self"
)

type (
	pool     = conformance.Pool
	settings = conformance.Settings
	counts   = conformance.Stats
	handler  = func(v any, stack []byte)
)

// breaks replaces methods of hemlock.
func breaks(f func(p self.Pool, b *broken.Pool)) func(settings) pool {
	return func(s settings) pool { return broken.New(s, f) }
}

// submits breaks Submit.
func submits(f func(p self.Pool, task func()) error) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) { b.OnSubmit = func(task func()) error { return f(p, task) } })
}

// wraps breaks the task.
func wraps(f func(task func())) func(settings) pool {
	return submits(func(p self.Pool, task func()) error { return p.Submit(func() { f(task) }) })
}

// runs breaks Run.
func runs(f func(p self.Pool, task func())) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) { b.OnRun = func(task func()) { f(p, task) } })
}

// does breaks Do.
func does(f func(p self.Pool, task func())) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) { b.OnDo = func(task func()) { f(p, task) } })
}

// wrapsDo breaks the call of Do.
func wrapsDo(f func(call func())) func(settings) pool {
	return does(func(p self.Pool, task func()) { f(func() { p.Do(task) }) })
}

// stops breaks Shutdown.
func stops(f func(p self.Pool, ctx context.Context) error) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) {
		b.OnShutdown = func(ctx context.Context) error { return f(p, ctx) }
	})
}

// miscounts breaks Stats.
func miscounts(f func(s *counts)) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) {
		b.OnStats = func() counts {
			s := p.Stats()
			f(&s)
			return s
		}
	})
}

// groups breaks the groups.
func groups(f func(p self.Pool) conformance.Group) func(settings) pool {
	return breaks(func(p self.Pool, b *broken.Pool) { b.OnGroup = func() conformance.Group { return f(p) } })
}

// mistakes breaks the settings.
func mistakes(f func(s *settings)) func(settings) pool {
	return func(s settings) pool {
		f(&s)
		return self.New(s)
	}
}

// handles breaks the call of the panic handler.
func handles(f func(h handler, v any, stack []byte)) func(settings) pool {
	return mistakes(func(s *settings) {
		h := s.PanicHandler
		s.PanicHandler = func(v any, stack []byte) { f(h, v, stack) }
	})
}

// A spawner starts a goroutine for each task and waits for all of them. Its body decides
// what happens when a task has ended.
type spawner struct {
	tasks sync.WaitGroup
	body  func(s *spawner, task func())
}

// spawns makes a spawner that treats its tasks in this way.
func spawns(body func(s *spawner, task func())) func(settings) pool {
	return func(settings) pool { return &spawner{body: body} }
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

// doneAfterHandler makes a pool that counts a task as done after the call of the handler.
func doneAfterHandler(s settings) pool {
	return &spawner{body: func(all *spawner, task func()) {
		defer func() {
			if v := recover(); v != nil {
				s.PanicHandler(v, debug.Stack())
			}
			all.tasks.Done()
		}()
		task()
	}}
}

// A line is a pool of workers that wait on one channel, with no hygiene at all.
type line struct {
	tasks   chan func()
	maximum int // tasks per worker; 0 means no maximum
}

func newLine(s settings) *line { return &line{tasks: make(chan func()), maximum: s.MaxTasksPerWorker} }

func unclean(s settings) pool { return newLine(s) }

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
	*line
	submits atomic.Int64
}

func (t *thief) Submit(task func()) error {
	time.Sleep(time.Duration(t.submits.Add(1)) * time.Microsecond) // one after the other
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

// A clerk runs all tasks itself, one after the other: each Submit waits for it.
type clerk chan func()

func (c clerk) Submit(task func()) error {
	c <- task
	return nil
}

func (c clerk) Shutdown(context.Context) error { return nil }

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
		err := f()
		g.mu.Lock()
		defer g.mu.Unlock()
		if err != nil && (g.last || g.err == nil) {
			g.err = err
		}
	})
}

func (g *byHand) Wait() error {
	g.all.Wait()
	return g.err
}

// A waiter is a group with a Wait of its own.
type waiter struct {
	conformance.Group
	wait func(g conformance.Group) error
}

func (w waiter) Wait() error { return w.wait(w.Group) }
