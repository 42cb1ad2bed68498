//go:build goexperiment.goroutineleakprofile

package hemlock_test

import (
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The runtime finds the goroutines that wait for what nobody else can reach. No
// test of this package leaves one. This test runs after the others, because it is
// parallel and they are not; tools/leak runs it.
func TestNoTestLeaksAGoroutine(t *testing.T) {
	t.Parallel()
	require.Contains(t, leakProfile(t), "goroutineleak profile: total 0\n")

	// A check that finds nothing must be able to find something.
	go func() { <-make(chan int) }()
	eventually(t, func() bool {
		return strings.Contains(leakProfile(t), "goroutineleak profile: total 1\n")
	}, "the profile does not show a leak")
}

func leakProfile(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, pprof.Lookup("goroutineleak").WriteTo(&b, 1))
	return b.String()
}
