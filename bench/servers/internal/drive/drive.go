// Package drive is the client side: callers that ask a server questions, one
// after the other, and check the answers.
package drive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/usage"
	"example.com/hemlock/bench/servers/internal/target"
)

// callLimit is how long a caller waits for an answer at most.
const callLimit = 10 * time.Second

// Callers ask one server. Each waits for its answer before it asks again.
type Callers struct {
	clients []target.Client // caller i uses the client i modulo their number
	number  int
	runs    uint64              // so far
	pause   func(time.Duration) // sleeps, perhaps shorter; time.Sleep in the bubbles of tests
}

// Dial connects that many callers. If the target lets callers share connections,
// connections is how many there are at most.
func Dial(t target.Target, to target.Endpoint, callers, connections int) (*Callers, error) {
	if !t.Shared {
		connections = callers
	}
	c := &Callers{number: callers, pause: usage.Nanosleep}
	for range min(callers, connections) {
		client, err := t.Dial(to)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.clients = append(c.clients, client)
	}
	return c, nil
}

// Close closes the connections.
func (c *Callers) Close() error {
	var all error
	for _, client := range c.clients {
		all = errors.Join(all, client.Close())
	}
	return all
}

// A Result is what the callers saw.
type Result struct {
	Calls   int           `json:"calls"` // those answered rightly
	Elapsed time.Duration `json:"elapsed_ns"`
	P50     time.Duration `json:"p50_ns"` // of the calls' times
	P99     time.Duration `json:"p99_ns"`
	P999    time.Duration `json:"p999_ns,omitempty"`
	Max     time.Duration `json:"max_ns,omitempty"`

	// Late is how long after they were due 99 % of the calls of [Callers.Offer]
	// had begun. It is part of their times.
	Late time.Duration `json:"late_p99_ns,omitempty"`

	// Failed is how many calls had no answer or a wrong one, and Failure is
	// what was wrong with one of them. A caller that fails gives up. Calls that
	// were due and that no caller was left to make count as well.
	Failed  int    `json:"failed,omitempty"`
	Failure string `json:"failure,omitempty"`
}

// Run lets the callers ask until the time is up, and returns when the last
// answer has come.
func (c *Callers) Run(ctx context.Context, duration time.Duration) Result {
	times, failures := make([][]time.Duration, c.number), make([]error, c.number)
	var callers sync.WaitGroup
	began := time.Now()
	for i := range c.number {
		callers.Go(func() {
			client, first := c.clients[i%len(c.clients)], c.runs<<48+uint64(i)<<32
			times[i], failures[i] = ask(ctx, client, first, began.Add(duration))
		})
	}
	callers.Wait()
	elapsed := time.Since(began)
	c.runs++ // so that no question comes twice
	return result(elapsed, slices.Concat(times...), failures)
}

// ask asks until the end and returns how long each answer took.
func ask(ctx context.Context, client target.Client, first uint64, end time.Time) (times []time.Duration, err error) {
	// A context of its own has a channel of its own: callers that wait for the
	// same one would contend for its lock.
	ctx, cancel := context.WithDeadline(ctx, end.Add(callLimit))
	defer cancel()
	times = make([]time.Duration, 0, 1<<12)
	for number, asked := first, time.Now(); asked.Before(end); number++ {
		if err := call(ctx, client, number); err != nil {
			return times, err
		}
		answered := time.Now()
		times = append(times, answered.Sub(asked))
		asked = answered
	}
	return times, nil
}

// call asks one question and checks the answer.
func call(ctx context.Context, client target.Client, number uint64) error {
	question := target.Question(number)
	answer, err := client.Call(ctx, question)
	if err == nil && !target.Right(question, answer) {
		return fmt.Errorf("wrong answer %x to %x", answer, question)
	}
	return err
}

func result(elapsed time.Duration, times []time.Duration, failures []error) Result {
	q := figures.Quantiles(times, 0.5, 0.99, 0.999, 1)
	r := Result{Calls: len(times), Elapsed: elapsed, P50: q[0], P99: q[1], P999: q[2], Max: q[3]}
	for _, err := range failures {
		if err != nil {
			r.Failed++
			r.Failure = err.Error()
		}
	}
	return r
}
