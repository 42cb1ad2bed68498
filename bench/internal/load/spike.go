package load

import (
	"context"
	"fmt"
	"sync"

	"example.com/hemlock/bench/internal/usage"
)

// Surge runs the load's spike at the pool, if it has one: Spike tasks at once, each as
// deep as a task of the load. It returns when they have ended.
func (l Load) Surge(ctx context.Context, bind Bind) error {
	var running, ended sync.WaitGroup
	gate := make(chan struct{})
	submit := bind(func() {
		defer ended.Done()
		usage.Dig(max(l.Stack, 1))
		running.Done()
		<-gate
	})
	running.Add(l.Spike)
	ended.Add(l.Spike)
	ended.Go(func() {
		for range l.Spike {
			submit()
		}
	})
	err := await(ctx, &running)
	close(gate)
	if err == nil {
		err = await(ctx, &ended)
	}
	if err != nil {
		return relent(ctx, &ended, fmt.Errorf("the spike of %d tasks did not run at once: %w", l.Spike, err))
	}
	return nil
}
