package peers

import (
	"example.com/hemlock/conformance"
	"github.com/gammazero/workerpool"
)

// manyWorkers is a bound that no clause reaches.
const manyWorkers = 1 << 20

// Gammazero returns the pool of github.com/gammazero/workerpool.
func Gammazero() conformance.Subject {
	return conformance.Subject{
		Name:    "gammazero",
		Package: "github.com/gammazero/workerpool",
		New:     newGammazero,
		Abilities: []conformance.Ability{
			conformance.Shutdown, conformance.Shrinks, conformance.Reuses,
		},
		Waived: waivers(
			// Do: safe to call concurrently with StopWait, and then accepted
			// or refused like any other.
			promised(silence(), "tasks-may-submit-while-closing"),
			waive("documented otherwise: workers are stopped as long as no new tasks arrive", "shrinks-under-trickle"),
			waive("documented otherwise: New starts a dispatcher, which runs until the pool is stopped",
				"idle-pool-sleeps", "killer-ends-at-once", "dropped-pools-collected", "bubble-ends-when-drained")),
	}
}

func newGammazero(c conformance.Settings) conformance.Pool {
	var opts []workerpool.Option
	if c.KillInterval != 0 {
		opts = append(opts, workerpool.WithIdleTimeout(c.KillInterval))
	}
	p := workerpool.New(manyWorkers, opts...)
	return struct {
		submitter
		joiner
	}{p.Do, p.StopWait}
}
