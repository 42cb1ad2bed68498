package compare

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/target"
	"example.com/hemlock/bench/servers/internal/work"
)

// miekg/dns gave its own workers up: once they had starved, the server did not recover
// while the load lasted. A server that was stopped for a second under a load that does
// not wait for it is back with the pool, and as soon as with go.
func TestStoppedServerIsBackAsSoonAsWithGo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signal stops a process")
	}
	dns, err := target.Find("dns")
	require.NoError(t, err)
	s := Stall{
		Target: dns, Work: work.Work{Stack: 8, Garbage: 2048}, Callers: 64, Rate: 40,
		Stop: time.Second, Settle: 500 * time.Millisecond, Watch: 3 * time.Second,
	}
	var with, without time.Duration
	for tries := 0; ; tries++ { // another load on the machine may come at any time
		perSecond, err := s.saturation(t.Context())
		require.NoError(t, err)
		perSecond *= float64(s.Rate) / 100
		without, err = s.Recover(t.Context(), "go", perSecond)
		if err == nil {
			with, err = s.Recover(t.Context(), "pool", perSecond)
		}
		if err == nil && without > 0 && with <= 2*without+200*time.Millisecond {
			break
		}
		require.Less(t, tries, 5, "with %v, without %v: %v", with, without, err)
	}
	t.Log("back after", with, "with the pool,", without, "with go")
}

func TestBackIsWhenCallsTakeWhatTheyDidBefore(t *testing.T) {
	const ms = time.Millisecond
	var due, times []time.Duration
	for at := time.Duration(0); at < 2000*ms; at += ms {
		took := ms                        // up to 4 ms is as before
		if at >= 500*ms && at < 1500*ms { // stopped until 1,000; then it works a backlog off
			took = 1500*ms - at
		}
		due, times = append(due, at), append(times, took)
	}
	took, err := back(due, times, 500*ms, 1000*ms)
	require.NoError(t, err)
	require.Equal(t, 500*ms, took)
	times[1000] = 0 // one fast call among the slow ones
	took, err = back(due, times, 500*ms, 1000*ms)
	require.NoError(t, err)
	require.Equal(t, 500*ms, took)
	took, err = back(due[:1400], times[:1400], 500*ms, 1000*ms)
	require.ErrorContains(t, err, "to the end")
	require.Zero(t, took)
	_, err = back(due, times, 0, 1000*ms)
	require.ErrorContains(t, err, "no call was due")
}

func TestStallNamesWhatCannotRun(t *testing.T) {
	dns, err := target.Find("dns")
	require.NoError(t, err)
	s := Stall{Target: dns, Callers: 2, Rate: 10, Stop: 10 * time.Millisecond, Settle: 100 * time.Millisecond, Watch: 50 * time.Millisecond}
	var out strings.Builder
	require.ErrorContains(t, s.Print(t.Context(), &out, []string{"none"}, 1), `dns, none: server: no mode "none"`)
	s.Environment = []string{"GOMEMLIMIT=little"} // with which no server starts
	require.Error(t, s.Print(t.Context(), &out, []string{"go"}, 1))
}
