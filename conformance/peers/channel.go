package peers

import (
	"sync"
	"sync/atomic"
	"time"

	"example.com/hemlock/conformance"
)

// The constants of gSuneido: one worker in 2 s, not before ten such intervals
// have passed since the last spawn, and never one of the last three.
const (
	channelInterval = 2 * time.Second
	channelDelay    = 10
	channelMinimum  = 3
)

// Channel returns a pool on a single channel in the manner of gSuneido's Workers
// (github.com/apmckinlay/gsuneido, dbms/mux/workers.go), whose documentation
// promises workers on demand, without a limit, and that unnecessary ones are
// terminated. As there, the count of workers is a package variable, and the pill
// is sent with a blocking send.
func Channel() conformance.Subject {
	return conformance.Subject{
		Name:      "single channel",
		Package:   "example.com/hemlock/conformance/peers",
		New:       newChannel,
		Abilities: []conformance.Ability{conformance.Shrinks, conformance.Minimum, conformance.Reuses},
		Waived: waivers(silence(),
			waive("the documentation does not mention it", "panic-crashes", "killer-always-armed")),
	}
}

var channelWorkers atomic.Int64

type channelPool struct {
	tasks   chan func()
	stop    chan struct{}
	killer  sync.WaitGroup
	clock   atomic.Int64 // intervals since the last spawn
	delay   int64
	minimum int64
}

func newChannel(c conformance.Settings) conformance.Pool {
	p := &channelPool{
		tasks:   make(chan func()),
		stop:    make(chan struct{}),
		delay:   channelDelay,
		minimum: channelMinimum,
	}
	interval := channelInterval
	if c.KillInterval != 0 {
		interval, p.delay, p.minimum = atLeast(c.KillInterval), 0, int64(c.MinWorkers)
	}
	p.killer.Go(func() { p.kill(interval) })
	return p
}

func (p *channelPool) Submit(task func()) error {
	select {
	case p.tasks <- task:
	default:
		p.clock.Store(0)
		go p.work(task)
	}
	return nil
}

func (p *channelPool) work(task func()) {
	channelWorkers.Add(1)
	defer channelWorkers.Add(-1)
	for ; task != nil; task = <-p.tasks {
		task()
	}
}

func (p *channelPool) kill(interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		if p.clock.Add(1) > p.delay && channelWorkers.Load() > p.minimum {
			p.tasks <- nil
		}
	}
}

// Close waits for the killer, which may be sending, before it closes the
// channel; every receiver gets a pill from then on. The original has no such
// thing, so it is no [conformance.Shutdown].
func (p *channelPool) Close() {
	close(p.stop)
	p.killer.Wait()
	close(p.tasks)
}
