package pooltest

import (
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// UseStack runs with that many KiB of stack in use.
func UseStack(kib int) { AtDepth(kib, func() {}) }

// AtDepth calls f with that many KiB of stack in use.
//
//go:noinline
func AtDepth(kib int, f func()) byte {
	var frame [1 << 10]byte
	frame[kib%len(frame)] = 1
	if kib > 1 {
		frame[0] += AtDepth(kib-1, f)
	} else {
		f()
	}
	return frame[kib%len(frame)]
}

// StackInUse returns how many bytes of stack there are.
func StackInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

// GoroutineID returns the number of the goroutine that calls it.
func GoroutineID() string {
	buf := make([]byte, 64)
	var id int
	_, err := fmt.Sscanf(string(buf[:runtime.Stack(buf, false)]), "goroutine %d ", &id)
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(id)
}

// StacksOf returns the stacks of all goroutines that have the function on them.
func StacksOf(function string) []string {
	buf := make([]byte, 16<<10)
	n := runtime.Stack(buf, true)
	// The goroutines of an earlier test may still be ending, 10,000 of them.
	for ; n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 4*len(buf))
	}
	all := strings.Split(string(buf[:n]), "\n\n")
	var found []string
	for _, stack := range all {
		if strings.Contains(stack, function) {
			found = append(found, stack)
		}
	}
	return found
}

// Labels returns the profiler labels, and the stacks beside which they stand, of the
// goroutine that calls it and of all goroutines. No call reads labels, but the text of a
// profile shows them. A task may call it.
func Labels(t testing.TB) (own, all string) {
	t.Helper()
	var profile strings.Builder
	assert.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	for group := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(group, "pooltest.Labels") {
			own += group
		}
	}
	return own, profile.String()
}
