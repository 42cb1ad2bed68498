// Package runner holds the contestants: everything that can start a task the
// way a go statement does.
package runner

import (
	"runtime/debug"
	"slices"
	"time"

	"github.com/panjf2000/ants/v2"
)

// Baseline and Subject are the names of the runner that all ratios refer to and
// of the one that this module measures for. Every other runner is a peer.
const (
	Baseline = "go"
	Subject  = "hemlock"
)

const (
	// bound is the number of workers given to a pool that must have a bound.
	bound = 10_000

	// closeLimit is how long a pool may take to let its workers go.
	closeLimit = 5 * time.Second
)

// A Runner is one contestant and how to make a fresh pool of it.
type Runner struct {
	Name     string
	Module   string // whose version the report names; empty for the runtime's own
	Settings string // how the pool is made, in the words of its own API

	// Minimum is the number of workers that the pool keeps for good.
	Minimum int

	New func() Pool
}

// A Pool is one fresh pool of a runner.
type Pool struct {
	// Bind returns a function that submits the task to the pool, each time it
	// is called. It is called once for a task and outside of the measurement,
	// so a runner whose tasks have another signature is not charged for the
	// adapter.
	Bind func(task func()) (submit func())

	// Close lets the workers go, by the means that the pool offers. It returns
	// when they have gone or after a few seconds.
	Close func()
}

// All returns every runner: the baseline, the subject, then the peers.
func All() []Runner {
	return []Runner{
		goStatement(),
		hemlockPool(),
		antsPool(),
		antsMultiPool(),
		pondPool(),
		concPool(),
		bytedancePool(),
		cloudwegoPool(),
		gammazeroPool(),
		errgroupGroup(),
		singleChannel(),
	}
}

// Version returns the version of the runner's module in this binary, and for
// the module that lies beside this one the words "this tree".
func (r Runner) Version() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case r.Name == Subject:
		return "this tree"
	case !ok:
		return ""
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == r.Module })
	if i < 0 {
		return ""
	}
	return info.Deps[i].Version
}

// Hush stops what peers start when they are imported: two goroutines and two
// tickers of a pool that nobody here uses.
func Hush() { ants.Release() }
