// Package mode holds the ways of starting a request that are compared.
package mode

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/alitto/pond"
	"google.golang.org/grpc"

	"example.com/hemlock"
	"example.com/hemlock/bench/servers/internal/target"
	hemlockgrpc "example.com/hemlock/grpc"
)

// Baseline is the name of the mode that all ratios refer to.
const Baseline = "go"

// Subject and Through are the names of the modes in which the pool runs the requests, and
// in which they go through its Do.
const (
	Subject = "pool"
	Through = "do"
)

// Library is the name of the mode in which a library starts its requests by
// itself.
const Library = "lib"

// The size of pond in its mode. rpcx, which offers it, names none.
const (
	pondWorkers = 64
	pondQueue   = 100_000
)

// manyWorkers is more of gRPC's own workers than a machine has processors, so
// that there is one for nearly every call.
const manyWorkers = 128

// A Mode is a way of starting tasks.
type Mode struct {
	Name string

	// Within says that it is for servers that start their requests by
	// themselves: the handler, or an option of the server, makes the difference.
	// The baseline is for all servers.
	Within bool

	// New makes a fresh one. Stats returns a snapshot of its counts, encoded as
	// JSON in the report; it is nil where there is nothing to count. What has
	// the fields of [hemlock.Stats] is shown in the tables too.
	New func() (way target.Way, stats func() any)
}

// All returns the modes in the order in which they are reported. To add one takes a
// line here and, for a package of its own, a line in go.mod.
func All() []Mode {
	return []Mode{
		{Baseline, false, running(func(task func()) { go task() })},
		{Subject, false, func() (target.Way, func() any) {
			p := hemlock.New()
			return target.Way{Run: p.Run}, func() any { return p.Stats() }
		}},
		{"pond", false, func() (target.Way, func() any) {
			return target.Way{Run: pond.New(pondWorkers, pondQueue).Submit}, nil
		}},
		{Library, false, running(nil)},
		{"workers", true, within(false, uint32(runtime.GOMAXPROCS(0)))},
		{"workers128", true, within(false, manyWorkers)},
		{Through, true, within(true, 0)},
		{"do+workers", true, within(true, uint32(runtime.GOMAXPROCS(0)))},
	}
}

func running(run target.Run) func() (target.Way, func() any) {
	return func() (target.Way, func() any) { return target.Way{Run: run}, nil }
}

// within is for a server that starts its requests by itself, with a pool or without.
// workers is how many workers of its own a gRPC server has.
func within(pool bool, workers uint32) func() (target.Way, func() any) {
	return func() (target.Way, func() any) {
		options := []grpc.ServerOption{grpc.NumStreamWorkers(workers)}
		if !pool {
			return target.Way{GRPC: options}, nil
		}
		p := hemlock.New()
		return target.Way{Pool: p, GRPC: append(options,
			grpc.ChainUnaryInterceptor(hemlockgrpc.UnaryServerInterceptor(p)),
			grpc.ChainStreamInterceptor(hemlockgrpc.StreamServerInterceptor(p)),
		)}, func() any { return p.Stats() }
	}
}

// Find returns the mode of that name.
func Find(name string) (Mode, error) {
	for _, m := range All() {
		if m.Name == name {
			return m, nil
		}
	}
	return Mode{}, fmt.Errorf("no mode %q: want %s", name, strings.Join(Names(), ", "))
}

// Names returns the names of all modes.
func Names() (names []string) {
	for _, m := range All() {
		names = append(names, m.Name)
	}
	return names
}
