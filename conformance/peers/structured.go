package peers

import (
	"context"

	"example.com/hemlock/conformance"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
)

// lateSubmits are the clauses that a pool gives up if it must not be used any more once
// a caller waits for it.
func lateSubmits(reason string) map[string]string {
	return waive(reason, "refuses-after-shutdown", "accepted-equals-executed",
		"tasks-may-submit-while-closing", "shutdown-is-repeatable", "bubbles-share-nothing")
}

// Conc returns the Pool of github.com/sourcegraph/conc.
func Conc() conformance.Subject {
	return conformance.Subject{
		Name:    "conc",
		Package: "github.com/sourcegraph/conc/pool",
		New: func(conformance.Settings) conformance.Pool {
			p := pool.New()
			return struct {
				starter
				joiner
			}{p.Go, p.Wait}
		},
		Abilities: []conformance.Ability{conformance.Shutdown, conformance.Reuses},
		Waived: waivers(silence(),
			recovers("documented otherwise: Wait propagates the panics of the tasks"),
			lateSubmits("documented otherwise: Wait is called once all tasks have been submitted")),
	}
}

// Errgroup returns the Group of golang.org/x/sync/errgroup.
func Errgroup() conformance.Subject {
	return conformance.Subject{
		Name:      "errgroup",
		Package:   "golang.org/x/sync/errgroup",
		New:       func(conformance.Settings) conformance.Pool { return &groupPool{} },
		Abilities: []conformance.Ability{conformance.Shutdown},
		Waived: waivers(silence(),
			waive("the documentation does not mention it", "panic-crashes", "crash-not-swallowed"),
			lateSubmits("documented otherwise: the first call to Go must happen before a Wait, and a Group is not reused")),
	}
}

type groupPool struct{ group errgroup.Group }

func (p *groupPool) Submit(task func()) error {
	p.Bind(task)()
	return nil
}

// Bind returns a function that submits the task each time it is called. So a
// measurement does not include the adapter.
func (p *groupPool) Bind(task func()) func() {
	fallible := func() error { task(); return nil }
	return func() { p.group.Go(fallible) }
}

func (p *groupPool) Shutdown(context.Context) error { return p.group.Wait() }

// Go returns the go statement.
func Go() conformance.Subject {
	return conformance.Subject{
		Name:      "go statement",
		Package:   "(none)",
		New:       func(conformance.Settings) conformance.Pool { return starter(func(task func()) { go task() }) },
		Abilities: []conformance.Ability{conformance.RunsAlways},
		Waived: waivers(silence(),
			waive("there is no package to import", "import-starts-nothing")),
	}
}
