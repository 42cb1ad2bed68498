package runner

import (
	"context"
	"fmt"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/peers"
)

// adapted makes a runner of a pool as the conformance suite adapts it, with the
// settings that the pool chooses by itself. All pools go the same way, so none is
// charged more for it.
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

// binder returns the pool's way to start a task that is no error and costs
// least.
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

// closePool lets the workers go. Those of a pool that has no means to do so go by
// themselves. One that cannot shut down shows in what it leaves behind.
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
