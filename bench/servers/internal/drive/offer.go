package drive

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"example.com/hemlock/bench/internal/figures"
)

// Arrivals draws when calls are due, perSecond of them a second on average. They
// are a Poisson process, as the calls of many independent users are: the gaps
// between them are exponential.
func Arrivals(random *rand.Rand, perSecond float64, duration time.Duration) (due []time.Duration) {
	gap := float64(time.Second) / perSecond
	for at := gap * random.ExpFloat64(); at < float64(duration); at += gap * random.ExpFloat64() {
		due = append(due, time.Duration(at))
	}
	return due
}

// Offer makes a call at each of the times, which are counted from now, and
// returns when the last answer has come. A call that is due while all callers
// wait for answers begins later, and its time still counts from when it was due.
// Otherwise a server that stalls would be asked less, and its stall would show
// in a few calls only.
func (c *Callers) Offer(ctx context.Context, due []time.Duration) Result {
	_, r := c.OfferEach(ctx, due)
	return r
}

// OfferEach does what Offer does, and returns the time of each call too, or 0 if it had
// no answer.
func (c *Callers) OfferEach(ctx context.Context, due []time.Duration) (each []time.Duration, r Result) {
	if len(due) == 0 {
		return nil, Result{}
	}
	each = make([]time.Duration, len(due)) // one caller writes each
	// There is room for all calls, so this loop never waits for a caller.
	ready := make(chan int, len(due))
	times, lates, failures := make([][]time.Duration, c.number), make([][]time.Duration, c.number), make([]error, c.number)
	var callers sync.WaitGroup
	began := time.Now()
	for i := range c.number {
		callers.Go(func() {
			// Each caller has its own context; see ask.
			ctx, cancel := context.WithDeadline(ctx, began.Add(due[len(due)-1]+callLimit))
			defer cancel()
			for n := range ready {
				lates[i] = append(lates[i], time.Since(began)-due[n])
				if failures[i] = call(ctx, c.clients[i%len(c.clients)], c.runs<<48+uint64(n)); failures[i] != nil {
					return
				}
				each[n] = time.Since(began) - due[n]
				times[i] = append(times[i], each[n])
			}
		})
	}
	for n, at := range due {
		for at > time.Since(began) && ctx.Err() == nil {
			// The callers that were woken are in the run queue of this goroutine's
			// processor, which a pause keeps for a while.
			runtime.Gosched()
			c.pause(at - time.Since(began))
		}
		ready <- n
	}
	close(ready)
	callers.Wait()
	r = result(time.Since(began), slices.Concat(times...), failures)
	c.runs++ // so that no question comes twice
	r.Late, r.Failed = figures.Quantiles(slices.Concat(lates...), 0.99)[0], len(due)-r.Calls
	return each, r
}
