package hemlock_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/semaphore"
)

// What SECURITY.md recommends against whoever can make a server start tasks: a
// semaphore in front of the pool. The tasks of this attack do not end.
func TestSemaphoreBoundsAHostileLoad(t *testing.T) {
	const bound, attackers, attempts = 100, 10, 10_000
	errOverloaded := errors.New("overloaded")
	p := newPool(t)
	limit := semaphore.NewWeighted(bound)
	gate := make(chan struct{})
	submit := func() error {
		if !limit.TryAcquire(1) {
			return errOverloaded
		}
		err := p.Submit(func() {
			defer limit.Release(1)
			<-gate
		})
		if err != nil {
			limit.Release(1)
		}
		return err
	}

	var all sync.WaitGroup
	var accepted, shed, beyond atomic.Int64
	for range attackers {
		all.Go(func() {
			for range attempts {
				switch err := submit(); {
				case err == nil:
					accepted.Inc()
				case errors.Is(err, errOverloaded):
					shed.Inc()
				}
				if p.Stats().Workers > bound {
					beyond.Inc()
				}
			}
		})
	}
	all.Wait()
	require.EqualValues(t, bound, accepted.Load())
	require.EqualValues(t, attackers*attempts-bound, shed.Load())
	require.Zero(t, beyond.Load(), "workers beyond the bound")
	require.EqualValues(t, bound, p.Stats().PeakWorkers)
	close(gate)
}
