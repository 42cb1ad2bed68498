package peers

import (
	"context"

	"example.com/hemlock/conformance"
	"github.com/alitto/pond/v2"
)

// Pond returns the pool of github.com/alitto/pond, without a limit and without
// panic recovery, which its README offers to keep "the default Go runtime
// behavior".
func Pond() conformance.Subject {
	return conformance.Subject{
		Name:    "pond",
		Package: "github.com/alitto/pond/v2",
		New: func(conformance.Settings) conformance.Pool {
			return pondPool{pond.NewPool(0, pond.WithoutPanicRecovery())}
		},
		// Workers are "immediately removed when idle", so there is no reuse.
		Abilities: []conformance.Ability{
			conformance.Shutdown, conformance.Deadline, conformance.Shrinks,
			conformance.TaskCounts, conformance.WorkerCount,
		},
		Waived: silence(),
	}
}

type pondPool struct{ pool pond.Pool }

func (p pondPool) Submit(task func()) error { return p.pool.Go(task) }

// Shutdown waits the way the README recommends for a wait with an end. A pool that has
// stopped wins over a context that has ended, too: the pool cannot help which one a
// select chooses.
func (p pondPool) Shutdown(ctx context.Context) error {
	stopped := p.pool.Stop().Done()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-stopped:
		return nil
	default:
		return context.Cause(ctx)
	}
}

func (p pondPool) Stats() conformance.Stats {
	return conformance.Stats{
		Submitted: int64(p.pool.SubmittedTasks()),
		Completed: int64(p.pool.CompletedTasks()),
		Running:   p.pool.RunningWorkers(), // each executes a task
		Workers:   p.pool.RunningWorkers(),
	}
}
