package peers

import (
	"sync/atomic"
	"time"

	"example.com/hemlock/conformance"
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

type channelPool chan func()

func newChannel(c conformance.Settings) conformance.Pool {
	p := make(channelPool)
	go p.kill(max(c.KillInterval, time.Millisecond), int64(c.MinWorkers))
	return p
}

func (p channelPool) Submit(task func()) error {
	select {
	case p <- task:
	default:
		go p.work(task)
	}
	return nil
}

func (p channelPool) work(task func()) {
	channelWorkers.Add(1)
	defer channelWorkers.Add(-1)
	for ; task != nil; task = <-p {
		task()
	}
}

func (p channelPool) kill(interval time.Duration, minimum int64) {
	for {
		time.Sleep(interval)
		if channelWorkers.Load() > minimum {
			p <- nil
		}
	}
}
