package main

import "time"

// maxWork keeps a query's stack far from the runtime's limit of 1 GB (250 MB on
// a 32-bit platform), beyond which the process ends.
const maxWork = 64 << 10 // KiB

// garbage is what the work of a query leaves to the collector, in octets.
const garbage = 2 << 10

// A backend stands for what a server does beside the look-up: decoding,
// authorising, asking a database, a policy, another server. It is called in the
// task of the query.
type backend struct {
	latency time.Duration
	work    int // KiB of stack
}

func (b backend) call() {
	if b.work > 0 {
		litter()
		useStack(b.work)
	}
	if b.latency > 0 {
		time.Sleep(b.latency)
	}
}

// useStack needs that many KiB of stack, one in each frame. The frame is read after the
// call: so it lives on during the call, and the call cannot be made a loop.
//
//go:noinline
func useStack(kib int) byte {
	var frame [1 << 10]byte
	at := kib % len(frame)
	frame[at] = byte(kib)
	if kib > 1 {
		frame[len(frame)-1-at] += useStack(kib - 1)
	}
	return frame[at] ^ frame[len(frame)-1-at]
}

// litter allocates on the heap, because what it returns might be kept.
//
//go:noinline
func litter() []byte { return make([]byte, garbage) }
