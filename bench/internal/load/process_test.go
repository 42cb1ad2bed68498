//go:build unix

package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestIntruderTakesAProcessorNowAndThen(t *testing.T) {
	used := func() time.Duration {
		var u unix.Rusage
		require.NoError(t, unix.Getrusage(unix.RUSAGE_CHILDREN, &u))
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	end, err := Load{}.Intruder()
	require.NoError(t, err)
	end()
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		before, start := used(), time.Now()
		end, err := Load{Process: true}.Intruder()
		require.NoError(t, err)
		time.Sleep(wait)
		end()
		if took := used() - before; took > 50*time.Millisecond { // more than its start
			require.Less(t, took, time.Since(start)/2)
			return
		}
		require.Less(t, wait, time.Minute)
	}
}
