package race

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
	"unsafe"

	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

// newborns measures, for each runner, how much of its stack a fresh worker has
// in use when its first task begins.
//
// No function of the runtime says so. But the runtime copies a stack that is full
// to one twice as large, and then everything on it has a new address. So the first
// task of a fresh pool goes deeper, a small frame at a time, until a variable in its
// first frame has moved. The depth of this move is the room that the task had. The
// distance to the second move is the size of the stack that it began with. A go
// statement leaves the task the most room. What is missing of it is in use.
func (r *Race) newborns(ctx context.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection may change the size of fresh stacks
	var fresh moves
	for _, c := range r.Runners {
		n := report.Newborn{Runner: c.Name}
		found, err := r.born(ctx, c)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			n.Failed = err.Error()
		case c.Name == runner.Baseline:
			fresh = found
		}
		if err == nil {
			n.Room = found.first
			n.Used = found.size() - fresh.size() + fresh.first - found.first
			n.Grown = found.size() > fresh.size()
		}
		r.report.Newborns = append(r.report.Newborns, n)
	}
	return nil
}

// moves are the depths in bytes at which a task's stack moved for the first and
// for the second time.
type moves struct{ first, second int }

// size returns the size of the stack before the first move. The move doubles the
// stack, so the distance to the second move is that size, to within a frame. The
// size is a power of two.
func (m moves) size() int {
	return 1 << int(math.Round(math.Log2(float64(m.second-m.first))))
}

// born returns the moves of the first task of a worker. It tries each depth to start
// from at a fresh pool, and takes the nearest moves.
func (r *Race) born(ctx context.Context, c runner.Runner) (moves, error) {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	settle()
	least := moves{math.MaxInt, math.MaxInt}
	for start := range starts {
		found, err := firstTask(ctx, c, start)
		if err != nil {
			return moves{}, err
		}
		least = moves{min(least.first, found.first), min(least.second, found.second)}
	}
	return least, nil
}

// firstTask measures the first task of a fresh pool.
func firstTask(ctx context.Context, c runner.Runner, start int) (moves, error) {
	result := make(chan moves, 1)
	pool := c.New()
	pool.Bind(func() {
		var top byte // the variable that moves
		result <- deepen(&top, start)
	})()
	select {
	case found := <-result:
		pool.Close()
		return found, nil
	case <-ctx.Done():
		return moves{}, context.Cause(ctx) // the task may still come, so the pool is left open
	}
}

// settle makes fresh stacks as small as they can be. They have the average size of
// the stacks that the last collection found, so settle lets it find many small ones.
func settle() {
	const goroutines = 500
	var ready, done sync.WaitGroup
	release := make(chan struct{})
	ready.Add(goroutines)
	for range goroutines {
		done.Go(func() {
			ready.Done()
			<-release
		})
	}
	ready.Wait()
	runtime.GC()
	runtime.GC()
	close(release)
	done.Wait()
	time.Sleep(time.Millisecond) // a goroutine ends a moment after it is done
}

// starts is the number of depths from which descend starts, each 8 bytes below
// the last. Together they find the end of the stack to 8 bytes, although a frame
// of descend is larger.
const starts = 16

// deepen goes deeper from one of the depths until the stack has moved twice.
//
//go:noinline
func deepen(top *byte, start int) moves {
	switch start {
	case 0:
		return from[[0]byte](top)
	case 1:
		return from[[8]byte](top)
	case 2:
		return from[[16]byte](top)
	case 3:
		return from[[24]byte](top)
	case 4:
		return from[[32]byte](top)
	case 5:
		return from[[40]byte](top)
	case 6:
		return from[[48]byte](top)
	case 7:
		return from[[56]byte](top)
	case 8:
		return from[[64]byte](top)
	case 9:
		return from[[72]byte](top)
	case 10:
		return from[[80]byte](top)
	case 11:
		return from[[88]byte](top)
	case 12:
		return from[[96]byte](top)
	case 13:
		return from[[104]byte](top)
	case 14:
		return from[[112]byte](top)
	default:
		return from[[120]byte](top)
	}
}

// from starts below a frame of the size of T.
//
//go:noinline
func from[T any](top *byte) moves {
	var frame T
	found := descend(top, uintptr(unsafe.Pointer(top)), 0)
	leave(&frame)
	return found
}

// leave makes the compiler keep the variable.
//
//go:noinline
func leave[T any](*T) {}

// descend takes the address of the task's variable twice: as a pointer, which the
// runtime adjusts when it moves the stack, and as a number, which it does not. The
// depth of the first move is 0 before it.
//
//go:noinline
func descend(top *byte, was uintptr, first int) moves {
	var here byte
	if at := uintptr(unsafe.Pointer(top)); at != was {
		depth := int(at - uintptr(unsafe.Pointer(&here)))
		if first > 0 {
			return moves{first, depth}
		}
		first, was = depth, at
	}
	return descend(top, was, first)
}
