package peers

import (
	"context"
	"time"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
)

// Subjects returns hemlock and its peers, in the order of the document.
func Subjects() []conformance.Subject {
	return []conformance.Subject{
		self.Subject(), Ants(), AntsMulti(), Pond(), Conc(), Bytedance(), Cloudwego(),
		Gammazero(), Errgroup(), Channel(), Go(),
	}
}

// An adapter is a struct of these, each of which is a call of the peer.
type (
	submitter func(task func()) error
	starter   func(task func()) // which refuses none
	stopper   func(ctx context.Context) error
	joiner    func()     // when it returns, all tasks have ended
	counter   func() int // of workers
)

func (s submitter) Submit(task func()) error { return s(task) }

func (s starter) Submit(task func()) error {
	s(task)
	return nil
}

func (s starter) Run(task func()) { s(task) }

func (s stopper) Shutdown(ctx context.Context) error { return s(ctx) }

func (j joiner) Shutdown(context.Context) error {
	j()
	return nil
}

func (c counter) Stats() conformance.Stats { return conformance.Stats{Workers: int64(c())} }

// atLeast is a time of at least a millisecond, for pools that know no shorter.
func atLeast(d time.Duration) time.Duration { return max(d, time.Millisecond) }
