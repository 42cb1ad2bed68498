// Package work is what a server does to answer a question, beside what its
// library does.
package work

import (
	"runtime"
	"unsafe"

	"example.com/hemlock/bench/servers/internal/target"
)

// Work says what an answer costs. The zero value costs nothing.
type Work struct {
	Stack   int `json:"stack_kib"`     // how deep the handler goes
	Garbage int `json:"garbage_bytes"` // what it allocates and drops
	Ballast int `json:"ballast_mib"`   // live heap beside the server
}

// Answer answers a question at that cost.
func (w Work) Answer(question []byte) []byte {
	if w.Stack > 0 {
		dig(w.Stack)
	}
	if w.Garbage > 0 {
		runtime.KeepAlive(&litter(w.Garbage)[0])
	}
	return target.Answer(question)
}

// overhead is what a frame of dig holds beside its array on the platforms with
// 64 bits. A test compares the sum with 1 KiB.
const overhead = 40

// dig uses that many KiB of stack, 1 KiB a call, and returns the address of its
// deepest frame. Go zeroes every variable, so all of a frame is written to.
//
//go:noinline
func dig(kib int) uintptr {
	var frame [1<<10 - overhead]byte
	at := uintptr(unsafe.Pointer(&frame))
	frame[kib&0xff] = 1
	if kib > 1 {
		at = dig(kib - 1)
	}
	// The array is used after the call, so no two frames share their memory.
	return at + uintptr(frame[kib&0xff]) - 1
}

// litter allocates that many bytes. The result of a function that is not inlined
// lies on the heap.
//
//go:noinline
func litter(size int) []byte { return make([]byte, size) }

// A node is a KiB of live heap with a pointer in it: memory without pointers
// would cost the collector nothing.
type node struct {
	next *node
	_    [1<<10 - 8]byte
}

// Hold makes the live heap of the work. The caller keeps it alive.
func (w Work) Hold() any {
	lists := make([]*node, w.Ballast) // 1 MiB each
	for i := range lists {
		for range 1 << 10 {
			lists[i] = &node{next: lists[i]}
		}
	}
	return lists
}
