package conformance

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var citizenship = []Clause{
	{
		Name: "import-starts-nothing", Promise: "Importing the package starts no goroutine.",
		ground: inRealTime, check: importStartsNothing,
	},
	{
		Name: "bubble-ends-after-shutdown", Promise: "A pool made in a synctest bubble works there, and the bubble ends after Shutdown.",
		ground: inRealTime, needs: []Ability{Shutdown}, check: bubbleEndsAfterShutdown,
	},
	{
		Name: "bubble-ends-when-drained", Promise: "A synctest bubble ends without Shutdown once the pool's workers have gone.",
		ground: inRealTime, needs: []Ability{Shrinks}, check: bubbleEndsWhenDrained,
	},
	{
		Name: "bubbles-share-nothing", Promise: "Pools inside and outside of synctest bubbles do not disturb each other.",
		ground: inRealTime, needs: []Ability{Shutdown}, check: bubblesShareNothing,
	},
}

// importStartsNothing looks at the process before any pool was made.
func importStartsNothing(x *trial) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if _, created, _ := strings.Cut(stack, "created by "); strings.HasPrefix(created, x.subject.Package+".") {
			by, _, _ := strings.Cut(created, " ")
			x.fail("before a pool was made there was a goroutine created by %s", by)
		}
	}
}

// bubble runs the function in a bubble, and returns when that has ended.
func (x *trial) bubble(f func()) {
	synctest.Test(x.t, func(*testing.T) {
		x.base = x.goroutines()
		f()
		x.step("waiting until the bubble ends")
	})
}

func bubbleEndsAfterShutdown(x *trial) {
	x.bubble(func() {
		p := x.pool(Settings{})
		h := x.keep(p, 10)
		time.AfterFunc(time.Second, func() { close(h.gate) })
		x.shutdown(p)
	})
}

func bubbleEndsWhenDrained(x *trial) {
	x.bubble(func() {
		x.burst(x.pool(brisk()), 10)
		time.Sleep(time.Hour)
	})
}

func bubblesShareNothing(x *trial) {
	p := x.pool(Settings{})
	outside := func() {
		done := make(chan struct{})
		x.submit(p, func() { close(done) })
		x.await(done, "a task runs outside of the bubbles")
	}
	outside()
	for range 3 {
		bubbleEndsAfterShutdown(x)
		outside()
	}
	x.shutdown(p)
}
