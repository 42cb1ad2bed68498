package race

import (
	"os"
	"runtime"
	"testing"
)

// Long says, from the environment, that this run takes minutes or hours, not seconds:
// that of CI, or one that looks for a fault.
var Long = os.Getenv("HEMLOCK_TEST_LONG") != ""

// Scaled returns how often a loop that looks for a rare interleaving should run
// where n times is right in a long run: a tenth otherwise, and less under the race
// detector.
func Scaled(n int) int {
	if !Long {
		n /= 10
	}
	return max(1, n/Slowdown)
}

// NeedsThreads skips a test that spins until another goroutine has done something,
// or sets how many processors there are: on WebAssembly there is one thread, and
// nothing is preempted.
func NeedsThreads(t testing.TB) {
	t.Helper()
	if runtime.GOARCH == "wasm" {
		t.Skip("there is one thread")
	}
}
