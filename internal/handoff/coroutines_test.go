package handoff

import (
	"sync"
	"testing"

	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

// idle returns a coroutine that is idle at the shard, or nil if it cannot be.
func idle(h *Handoff, at *Shard) *Coroutine {
	c := &Coroutine{At: at}
	if !h.Return(c) {
		return nil
	}
	return c
}

// The newest is borrowed, the oldest is killed, in whichever order.
func TestCoroutinesAreLastInFirstOut(t *testing.T) {
	h, at, _ := onShards(t, 1)
	require.Nil(t, h.Borrow(at))
	require.Nil(t, h.Oldest())
	a, b, c, d := idle(h, at), idle(h, at), idle(h, at), idle(h, at)
	require.EqualValues(t, 4, h.Coroutines())
	require.Same(t, d, h.Borrow(at))
	require.Same(t, a, h.Oldest())
	require.Same(t, c, h.Borrow(at))
	require.True(t, h.Return(a))
	require.Same(t, b, h.Oldest())
	require.Same(t, a, h.Oldest())
	require.Nil(t, h.Borrow(at))
	require.Nil(t, h.Oldest())
	require.True(t, h.Return(d))
	require.Same(t, d, h.Borrow(at))
	require.Zero(t, h.Coroutines())
}

// A caller's own shard comes first, then any other. The killer goes where most are.
func TestCoroutinesOfOtherShards(t *testing.T) {
	h, _, _ := onShards(t, 3)
	own, near, far := &h.shards[1], &h.shards[2], &h.shards[0]
	a, b, c, d := idle(h, far), idle(h, near), idle(h, far), idle(h, own)
	require.Same(t, a, h.Oldest())
	require.Same(t, d, h.Borrow(own))
	require.Same(t, b, h.Borrow(own))
	require.Same(t, c, h.Borrow(own))
	require.Nil(t, h.Borrow(own))
}

// A closed list takes no more coroutines, and gives out those it has.
func TestCloseClosesTheListsOfCoroutines(t *testing.T) {
	h, _, _ := onShards(t, 2)
	a := idle(h, &h.shards[0])
	b := idle(h, &h.shards[1])
	h.Close()
	require.Nil(t, idle(h, &h.shards[0]))
	require.Nil(t, idle(h, &h.shards[1]))
	require.Same(t, a, h.Borrow(&h.shards[0]))
	require.Same(t, b, h.Oldest())
	require.Zero(t, h.Coroutines())
}

// At most one goroutine has a coroutine in hand, and none is lost.
func TestCoroutinesHaveOneOwner(t *testing.T) {
	const n, goroutines = 8, 6
	h, _, _ := onShards(t, 3)
	owned := map[*Coroutine]*atomic.Bool{}
	for i := range n {
		owned[idle(h, &h.shards[i%3])] = atomic.NewBool(false)
	}
	var twice atomic.Int64
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			at := &h.shards[g%3]
			for i := range race.Scaled(200_000) {
				c := h.Borrow(at)
				if i%3 == 0 {
					if c != nil {
						h.Return(c)
					}
					c = h.Oldest()
				}
				if c == nil {
					continue
				}
				if !owned[c].CompareAndSwap(false, true) {
					twice.Inc()
				}
				c.At = at // the race detector watches
				owned[c].Store(false)
				h.Return(c)
			}
		})
	}
	all.Wait()
	require.Zero(t, twice.Load())
	require.EqualValues(t, n, h.Coroutines())
	for range n {
		require.True(t, owned[h.Oldest()] != nil)
	}
	require.Zero(t, h.Coroutines())
}
