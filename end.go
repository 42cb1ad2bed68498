package hemlock

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"example.com/hemlock/internal/panics"
)

// Shutdown closes the pool: it refuses further tasks, waits until every accepted task
// has ended, and ends every worker. It returns nil when the last worker has gone. If
// ctx ends first, it returns an error that wraps both the Err and the [context.Cause]
// of ctx, and says how many tasks were running and waiting and how many workers were
// left. The tasks go on, workers go on leaving, and a later Shutdown can wait for
// them.
//
// From this call on Submit returns [ErrClosed], and Run and Do run tasks without the
// pool. A task may call Shutdown with a ctx that ends; without one it would wait for
// itself. Shutdown panics if ctx is nil.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.check()
	if ctx == nil {
		panic("hemlock: Shutdown with a nil context")
	}
	p.closing.Do(p.close)
	select {
	case <-p.drained:
	case <-ctx.Done():
	}
	// When both came together, the select above chose at random.
	select {
	case <-p.drained:
		return nil
	default:
		return p.unfinished(ctx)
	}
}

// close refuses further tasks and begins to retire the workers. To wake 100,000 of
// them takes a moment, for which a ctx that ends should not have to wait. So if there
// are any, it is done beside Shutdown.
func (p *Pool) close() {
	p.handoff.Close()
	p.accepted = p.handoff.Counts().Accepted
	p.closed.Store(true)
	p.killer.wakeUp()
	if p.workers() == 0 {
		p.drain()
	} else {
		go p.retire()
	}
}

// retire stops the idle workers of Do, and then drives the pool to its end. A worker
// of Do that ends a task from now on cannot become idle, and its caller stops it.
func (p *Pool) retire() {
	for c := p.handoff.Oldest(); c != nil; c = p.handoff.Oldest() {
		p.stop(c)
	}
	p.drain()
}

// alone calls a task that the closed pool did not accept, and that no count includes.
// A panic goes to the handler, and ends here unless it is to be passed on to the
// caller of Do.
func (p *Pool) alone(task func(), pass bool) {
	if p.handler != nil {
		defer func() {
			if !panics.Unwinding() {
				return
			}
			known, v := panics.Told(), recover()
			if !known {
				p.handler(v, debug.Stack())
			}
			if pass {
				panics.Raise(v)
			}
		}()
	}
	task()
}

// leave takes one worker off the count. A Shutdown may return before leave does.
func (p *Pool) leave() {
	p.killer.noteLeave(p.count.lower())
	if p.closed.Load() {
		p.drain()
	}
}

// drain drives a closed pool to its end. Shutdown calls it, and then every worker that
// leaves, a spawn that is refused, and the killer.
//
// While tasks are running, each call retires one idle worker, which calls drain when
// it leaves. So all idle workers go one after the other, and no goroutine waits for it.
//
// When every accepted task has completed, closing the channels retires the other
// workers. Pills alone would not do: a worker may have looked at closed before it was
// set, and wait for a task since. The last to leave finds all three conditions met.
// Their order matters: while a task is to come, a worker may still be started; when
// none is, the number of workers only falls.
func (p *Pool) drain() {
	if p.handoff.Completed() != p.accepted {
		p.handoff.Pill()
		return
	}
	p.handoff.Retire()
	if p.workers() > 0 || p.killer.armed.Load() {
		return
	}
	p.draining.Do(func() { close(p.drained) })
}

// unfinished is the error of a Shutdown whose ctx ended first.
func (p *Pool) unfinished(ctx context.Context) error {
	s := p.Stats()
	return fmt.Errorf("hemlock: shutdown: %s running, %d waiting, %s left: %w",
		plural(s.Running, "task"), s.Waiting, plural(s.Workers, "worker"), why(ctx))
}

// why says why a context has ended. It wraps the Err of the context, for callers that
// look for context.DeadlineExceeded or Canceled, and its cause, for callers that gave
// one.
func why(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case err == nil: // a context of another kind, which breaks the contract
		return errors.New("the context is done")
	case cause != err:
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// plural says how many there are of a thing whose plural has an s.
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
