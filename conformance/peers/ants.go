package peers

import (
	"context"
	"runtime/debug"

	"example.com/hemlock/conformance"
	"github.com/panjf2000/ants/v2"
)

// Ants returns the Pool of github.com/panjf2000/ants, with no capacity limit.
func Ants() conformance.Subject {
	s := antsSubject("ants")
	s.New = func(c conformance.Settings) conformance.Pool { return adaptAnts(ants.NewPool(-1, antsOptions(c)...)) }
	return s
}

// AntsMulti returns the MultiPool of github.com/panjf2000/ants, of ten pools as in
// its examples.
func AntsMulti() conformance.Subject {
	s := antsSubject("ants MultiPool")
	s.Waived = waivers(s.Waived, waive(
		"documented otherwise: the load balancing chooses the pool, and each keeps its own workers",
		"spawns-only-when-none-idle", "nil-kills-nothing", "pill-spares-busy"))
	s.New = func(c conformance.Settings) conformance.Pool {
		return adaptAnts(ants.NewMultiPool(10, -1, ants.RoundRobin, antsOptions(c)...))
	}
	return s
}

func antsSubject(name string) conformance.Subject {
	return conformance.Subject{
		Name:    name,
		Package: "github.com/panjf2000/ants/v2",
		Abilities: []conformance.Ability{
			conformance.Shutdown, conformance.Deadline, conformance.PanicHandler,
			conformance.Shrinks, conformance.Reuses, conformance.WorkerCount,
		},
		Waived: waivers(
			// Options.ExpiryDuration: only workers that have not been used for
			// that long are cleaned up.
			promised(silence(), "pill-spares-busy", "bursts-do-not-thrash"),
			recovers("documented otherwise: Options.PanicHandler says that without a handler the panic is "+
				"captured and printed"),
		),
	}
}

func antsOptions(c conformance.Settings) []ants.Option {
	var opts []ants.Option
	if expiry := max(c.KillInterval, c.KillDelay); expiry != 0 {
		opts = append(opts, ants.WithExpiryDuration(expiry))
	}
	if h := c.PanicHandler; h != nil {
		opts = append(opts, ants.WithPanicHandler(func(v any) { h(v, debug.Stack()) }))
	}
	return opts
}

// antsPool is either kind of pool.
type antsPool interface {
	Submit(task func()) error
	ReleaseContext(ctx context.Context) error
	Running() int
}

func adaptAnts[P antsPool](p P, err error) conformance.Pool {
	if err != nil {
		panic(err)
	}
	return struct {
		submitter
		stopper
		counter
	}{p.Submit, p.ReleaseContext, p.Running}
}
