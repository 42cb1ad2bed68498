// Package broken makes hemlock worse, for tests that must notice.
package broken

import (
	"context"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
)

// A Pool is hemlock with some of its methods replaced by worse ones.
type Pool struct {
	OnSubmit   func(task func()) error
	OnRun      func(task func())
	OnDo       func(task func())
	OnShutdown func(ctx context.Context) error
	OnStats    func() conformance.Stats
	OnGroup    func() conformance.Group
}

// New makes a pool with these settings, and has it broken. What is not replaced is as p
// does it.
func New(s conformance.Settings, breakIt func(p self.Pool, b *Pool)) *Pool {
	p := self.New(s)
	b := &Pool{p.Submit, p.Run, p.Do, p.Shutdown, p.Stats, p.Group}
	breakIt(p, b)
	return b
}

// The methods of a pool.

func (b *Pool) Submit(task func()) error           { return b.OnSubmit(task) }
func (b *Pool) Run(task func())                    { b.OnRun(task) }
func (b *Pool) Do(task func())                     { b.OnDo(task) }
func (b *Pool) Shutdown(ctx context.Context) error { return b.OnShutdown(ctx) }
func (b *Pool) Stats() conformance.Stats           { return b.OnStats() }
func (b *Pool) Group() conformance.Group           { return b.OnGroup() }
