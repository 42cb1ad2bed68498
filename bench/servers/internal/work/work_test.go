package work

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/target"
)

func TestAnswersAreRightAtAnyCost(t *testing.T) {
	question := target.Question(7)
	for _, w := range []Work{{}, {Stack: 1}, {Stack: 32, Garbage: 2048}, {Garbage: 1, Ballast: 1}} {
		require.True(t, target.Right(question, w.Answer(question)), "%+v", w)
	}
}

func TestWorkUsesTheStackItNames(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("frames are smaller on 32 bits")
	}
	dig(64) // the stack grows now, and not between the two
	shallow := dig(1)
	require.InDelta(t, 32<<10, int(shallow-dig(33)), 32*16)
}

func TestWorkMakesTheGarbageItNames(t *testing.T) {
	question, least := target.Question(1), testing.AllocsPerRun(100, func() { target.Answer(target.Question(1)) })
	none := testing.AllocsPerRun(100, func() { Work{}.Answer(question) })
	some := testing.AllocsPerRun(100, func() { Work{Garbage: 2048}.Answer(question) })
	require.LessOrEqual(t, none, least)
	require.InDelta(t, none+1, some, 0)
}

func TestBallastIsLiveHeap(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	ballast := Work{Ballast: 4}.Hold()
	require.InDelta(t, 4<<20, int(heap()-before), 1<<20)
	runtime.KeepAlive(ballast)
}
