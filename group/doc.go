// Package group runs the parts of one piece of work on a pool, waits for all of
// them, and returns the first error: errgroup on goroutines whose stacks have
// already grown.
//
// A request that asks ten backends at once starts ten goroutines with errgroup,
// and each pays for growing its stack. On a pool they run on workers that have
// grown theirs.
//
// # When errgroup is better
//
// Groups that are made once and live as long as the process gain nothing. A few tasks
// that need no more than the stack a goroutine starts with gain little: docs/WHEN.md has
// the figures, under "A fan-out".
//
// # Usage
//
//	g, ctx := group.WithContext(ctx, pool) // was: errgroup.WithContext(ctx)
//	for i, query := range queries {
//		g.Go(func() (err error) {
//			results[i], err = search(ctx, query)
//			return err
//		})
//	}
//	err := g.Wait()
//
// # Panics
//
// A panic in a task is handled by the pool. Without a panic handler the process
// crashes, and the crash shows the task's own stack. With one, the handler is told, and
// [Group.Wait] returns an error, so that a missing result is not taken for a good one.
// The same holds for a task that calls [runtime.Goexit], with or without a handler.
// Wait does not panic.
//
// # What differs from errgroup
//
//   - [New] and [WithContext] take the pool; a zero [Group] has none, and starts
//     ordinary goroutines.
//   - A task that calls runtime.Goexit leaves an error; errgroup's Wait returns
//     nil.
//   - Go(nil) and TryGo(nil) panic at once and in the caller; errgroup panics in
//     the new goroutine.
//   - What differs between a pool and a go statement; see package hemlock.
//
// # Memory model
//
// In the terminology of the Go memory model, a call of [Group.Go] or
// [Group.TryGo] synchronizes before its task starts, and the end of the task before
// [Group.Wait] returns.
//
// # Testing
//
// A Group may be used in a bubble of [testing/synctest] if its pool was made
// there.
//
// # Limits
//
// A task that starts another in its own Group with a limit may wait for itself, as
// in errgroup: all active tasks may be in Go, and none ends. Give the inner tasks
// a Group of their own, on the same pool.
package group
