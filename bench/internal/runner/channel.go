package runner

import (
	"sync"
	"sync/atomic"
	"time"
)

// The constants of gSuneido, dbms/mux/workers.go in apmckinlay/gsuneido: one
// worker in 2 s, not before ten such intervals have passed since the last
// spawn, and never one of the last three.
const (
	channelInterval = 2 * time.Second
	channelDelay    = 10
	channelMinimum  = 3
)

// channel is the pool that started it all, reduced to its idea: one unbuffered
// channel, a spawn when nobody receives, and a pill from time to time.
type channel struct {
	tasks   chan func()
	stop    chan struct{}
	killer  sync.WaitGroup
	clock   atomic.Int64
	workers atomic.Int64
}

func (c *channel) submit(task func()) {
	select {
	case c.tasks <- task:
	default:
		c.clock.Store(0)
		go c.work(task)
	}
}

func (c *channel) work(task func()) {
	c.workers.Add(1)
	defer c.workers.Add(-1)
	for ; task != nil; task = <-c.tasks {
		task()
	}
}

func (c *channel) kill() {
	ticker := time.NewTicker(channelInterval)
	defer ticker.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-ticker.C:
		}
		if c.clock.Add(1) > channelDelay && c.workers.Load() > channelMinimum {
			c.tasks <- nil
		}
	}
}

// close waits for the killer, which may be sending, before it closes the
// channel; every receiver gets a pill from then on.
func (c *channel) close() {
	close(c.stop)
	c.killer.Wait()
	close(c.tasks)
}

func singleChannel() Runner {
	return Runner{
		Name:     "single channel",
		Settings: "one unbuffered channel and a killer, in the style of gSuneido",
		Minimum:  channelMinimum,
		New: func() Pool {
			c := &channel{tasks: make(chan func()), stop: make(chan struct{})}
			c.killer.Go(c.kill)
			return Pool{
				Bind:  func(task func()) func() { return func() { c.submit(task) } },
				Close: func() { within(closeLimit, c.close) },
			}
		},
	}
}
