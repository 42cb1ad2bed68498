// Package runner holds the runners: everything compared that can start a task the
// way a go statement does.
package runner

import (
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/conformance/peers"
	"example.com/hemlock/conformance/self"
	"github.com/panjf2000/ants/v2"
)

// Baseline and Subject are the names of the runner that all ratios refer to and
// of the one that this module measures for. Every other runner is a peer.
const (
	Baseline = "go"
	Subject  = "hemlock"
)

// closeLimit is how long a pool may take to end its workers.
const closeLimit = 5 * time.Second

// A Runner is one way to start tasks, and how to make a fresh pool for it.
type Runner struct {
	Name     string
	Package  string // whose version the report names; empty for the runtime's own
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

	// Close ends the workers, in the way that the pool offers. It returns when
	// they have ended or after closeLimit.
	Close func()
}

// All returns every runner: the baseline, the subject, then the peers.
//
// At import ants decides by GOMAXPROCS whether its workers get a channel with a
// buffer. So a run that changes GOMAXPROCS measures it with the choice for the
// processors that the process started with.
func All() []Runner {
	return []Runner{
		goStatement(),
		adapted(self.Subject(), "hemlock.New(), Run; every option at its default (kill interval 1 s, kill delay 10 s)"),
		adapted(peers.Ants(), "ants.NewPool(-1), Submit; -1 is no bound"),
		adapted(peers.AntsMulti(), "ants.NewMultiPool(10, -1, ants.RoundRobin), Submit"),
		adapted(peers.Pond(), "pond.NewPool(0, pond.WithoutPanicRecovery()), Go; 0 is no bound"),
		adapted(peers.Conc(), "pool.New(), Go; no bound; workers stay until Wait"),
		adapted(peers.Bytedance(), "gopool.NewPool(name, math.MaxInt32, gopool.NewConfig()), Go; a worker ends when it finds no task"),
		adapted(peers.Cloudwego(), "gopool.NewGoPool(name, gopool.DefaultOption()), Go; closed by tasks that call runtime.Goexit"),
		adapted(peers.Gammazero(), "workerpool.New(1<<20), Do"),
		adapted(peers.Errgroup(), "new(errgroup.Group), Go; no limit"),
		singleChannel(),
	}
}

// Version returns the version of the runner's module in this binary, or the
// commit if its package is of this repository.
func (r Runner) Version() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case strings.HasPrefix(r.Package, "example.com/hemlock"):
		return figures.Commit()
	case !ok:
		return ""
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return strings.HasPrefix(r.Package+"/", m.Path+"/") })
	if i < 0 {
		return ""
	}
	return info.Deps[i].Version
}

// Hush stops what peers start when they are imported: two goroutines and two
// tickers of a default pool, which no runner uses.
func Hush() { ants.Release() }
