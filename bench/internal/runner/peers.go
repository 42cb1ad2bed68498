package runner

import (
	"context"
	"fmt"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/peers"
)

// adapted makes a runner of a pool as the conformance suite adapts it, with the
// pool's default settings. All pools are adapted alike, so none pays more for it.
func adapted(s conformance.Subject, settings string) Runner {
	return Runner{
		Name:     s.Name,
		Package:  s.Package,
		Settings: settings,
		New: func() Pool {
			p := s.New(conformance.Settings{})
			return Pool{Bind: binder(p), Close: func() { within(closeLimit, func() { closePool(p) }) }}
		},
	}
}

// binder returns the pool's cheapest way to start a task.
func binder(p conformance.Pool) func(task func()) func() {
	switch p := p.(type) {
	case interface{ Bind(task func()) func() }:
		return p.Bind
	case conformance.Runner:
		return func(task func()) func() { return func() { p.Run(task) } }
	}
	return func(task func()) func() {
		return func() {
			// A measurement that went on would count tasks that never ran.
			if err := p.Submit(task); err != nil {
				panic(fmt.Sprintf("bench: %v", err))
			}
		}
	}
}

// closePool ends the workers. A pool that cannot be closed ends them by itself. If a
// shutdown fails, the goroutines that are left show it.
func closePool(p conformance.Pool) {
	switch p := p.(type) {
	case interface{ Close() }:
		p.Close()
	case conformance.Stopper:
		_ = p.Shutdown(context.Background())
	}
}

// singleChannel keeps three workers for good, as gSuneido does.
func singleChannel() Runner {
	r := adapted(peers.Channel(), "one unbuffered channel and a killer, in the style of gSuneido")
	r.Minimum = 3
	return r
}
