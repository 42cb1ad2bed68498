// Package work is what a server does to answer a question, beside what its
// library does.
package work

import (
	"runtime"

	"example.com/hemlock/bench/internal/usage"
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
		usage.Dig(w.Stack)
	}
	if w.Garbage > 0 {
		runtime.KeepAlive(&usage.Litter(w.Garbage)[0])
	}
	return target.Answer(question)
}

// Hold makes the live heap of the work. The caller keeps it alive.
func (w Work) Hold() any { return usage.Ballast(w.Ballast) }
