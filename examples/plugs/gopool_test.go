package plugs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/bytedance/gopkg/util/gopool"
	"github.com/stretchr/testify/require"
)

func startGopool(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	ln := listen(t)
	name := fmt.Sprintf("lines %p", pool) // a name is registered once in a process
	require.NoError(t, gopool.RegisterPool(plugs.NewGopool(name, pool)))
	workers := gopool.GetPool(name)
	require.Equal(t, name, workers.Name())
	workers.SetCap(1) // without effect: the service answers when all requests are there
	wait := start(func() error {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return err
			}
			workers.Go(func() { serveLine(capitals, conn) })
		}
	})
	return askLine(ln.Addr(), 1), func() {
		require.NoError(t, ln.Close())
		require.ErrorIs(t, wait(), net.ErrClosed)
		require.EqualValues(t, pool.Stats().Workers, workers.WorkerCount())
	}
}

func TestGopoolTellsItsHandlerOfAPanicWithTheContextOfTheTask(t *testing.T) {
	type key struct{}
	pool, broken, told := hemlock.New(), errors.New("broken"), make(chan any, 2)
	workers := plugs.NewGopool("broken", pool)
	workers.SetPanicHandler(func(ctx context.Context, v any) { told <- ctx.Value(key{}); told <- v })

	workers.CtxGo(context.WithValue(t.Context(), key{}, "request 1"), func() { panic(broken) })

	require.Equal(t, "request 1", <-told)
	require.Equal(t, broken, <-told)
	requireDrained(t, pool, 1)
}

func TestGopoolWithoutAHandlerLeavesAPanicToThePool(t *testing.T) {
	told := make(chan any, 1)
	pool := hemlock.New(hemlock.WithPanicHandler(func(v any, _ []byte) { told <- v }))
	workers := plugs.NewGopool("broken", pool)
	workers.SetPanicHandler(func(context.Context, any) { t.Error("it was taken back") })
	workers.SetPanicHandler(nil)

	workers.Go(func() { panic("broken") })

	require.Equal(t, "broken", <-told)
	require.NoError(t, pool.Shutdown(withTimeout(t)))
	require.EqualValues(t, 1, pool.Stats().Panicked)
}
