// Package usage uses stack and memory as tasks do, and says how much processor time was
// used.
package usage

import (
	"time"
	"unsafe"
)

// epoch is where the clock starts that stands in for the time of a thread.
var epoch = time.Now()

// overhead is what a frame of Dig holds beside its array on the platforms with
// 64 bits: the return address, the frame pointer, spilled values. A test compares
// the sum with 1 KiB.
const overhead = 40

// paddleOverhead is the same for Paddle: the return address and the frame
// pointer.
const paddleOverhead = 16

// Dig uses that many KiB of stack, 1 KiB a call, and returns the address of its
// deepest frame. Go zeroes every variable, so all of a frame is written to.
//
//go:noinline
func Dig(kib int) uintptr {
	var frame [1<<10 - overhead]byte
	at := uintptr(unsafe.Pointer(&frame))
	frame[kib&0xff] = 1
	if kib > 1 {
		at = Dig(kib - 1)
	}
	// The array is used after the call, so no two frames share their memory.
	return at + uintptr(frame[kib&0xff]) - 1
}

// Paddle is a function with a frame of 1,000 bytes. A fresh goroutine's stack does not
// grow for it, unless more of the stack is in use than the runtime's own part.
//
//go:noinline
func Paddle(i int) uintptr {
	var frame [1000 - paddleOverhead]byte
	at := uintptr(unsafe.Pointer(&frame))
	frame[i&0xff] = 1
	return at + uintptr(frame[(i+1)&0xff])
}

// Litter allocates that many bytes. The result of a function that is not inlined
// lies on the heap, so no global variable has to hold it.
//
//go:noinline
func Litter(size int) []byte { return make([]byte, size) }

// A node is a KiB of live heap with a pointer in it: memory without pointers
// would cost the collector nothing.
type node struct {
	next *node
	_    [1<<10 - 8]byte
}

// Ballast returns that many MiB of live heap. The caller keeps it alive.
func Ballast(mib int) any {
	lists := make([]*node, mib)
	for i := range lists {
		for range 1 << 10 {
			lists[i] = &node{next: lists[i]}
		}
	}
	return lists
}
