package usage

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestDigUsesTheStackItNames(t *testing.T) {
	// The stack must not move between two measurements: not grow, and not be
	// shrunk by a collection.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	Dig(128)
	shallow := Dig(1)
	for _, kib := range []int{2, 4, 8, 16, 30, 60} {
		used := shallow - Dig(kib)
		require.InEpsilon(t, 1<<10*(kib-1), int(used), 0.03, "%d KiB", kib)
	}
}

func TestShallowTaskHasAFrameOf1000Bytes(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	Dig(8)
	require.InDelta(t, 1000, int(stood()-Paddle(1)), 24)
}

// stood returns the address at which its frame begins, to within a few bytes. The
// frame of a function called from the same place begins there too.
//
//go:noinline
func stood() uintptr {
	var b byte
	return uintptr(unsafe.Pointer(&b))
}

func TestGarbageIsAsLargeAsSaid(t *testing.T) { require.Len(t, Litter(2<<10), 2<<10) }

func TestProcessorTimeIsThatOfTheProcess(t *testing.T) {
	before := Process()
	if before == 0 {
		t.Skip("the platform does not say how much processor time a process has used")
	}
	for start := time.Now(); time.Since(start) < time.Hour; {
		if Process() > before+20*time.Millisecond {
			return // what is used is counted
		}
	}
	require.Fail(t, "an hour of work used no processor time")
}

// A thread that sleeps uses almost no processor time; the wall clock would say 50 ms.
func TestThreadTimeIsProcessorTime(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the time of a thread is read on Linux alone")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, wall := Thread(), time.Now()
	time.Sleep(50 * time.Millisecond)
	require.GreaterOrEqual(t, time.Since(wall), 50*time.Millisecond)
	require.Less(t, Thread()-start, 25*time.Millisecond)
}

func TestBallastIsLiveHeap(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	ballast := Ballast(4)
	require.InDelta(t, 4<<20, int(heap()-before), 1<<20)
	runtime.KeepAlive(ballast)
}
