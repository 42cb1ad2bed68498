package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestUnknownRunnerIsNamed(t *testing.T) {
	_, err := newRunner("threads", time.Second, time.Second, quiet())
	require.EqualError(t, err, `unknown -runner "threads": want pool or go`)
}

func TestShutdownOfARunnerWaitsForItsTasks(t *testing.T) {
	for _, name := range runners {
		synctest.Test(t, func(t *testing.T) {
			r, err := newRunner(name, time.Second, time.Second, quiet())
			require.NoError(t, err)
			for i := range 5 {
				r.Run(func() { time.Sleep(time.Duration(i+1) * time.Minute) })
			}
			start := time.Now()
			require.NoError(t, r.Shutdown(t.Context()))
			require.Equal(t, 5*time.Minute, time.Since(start))
			now, peak, _ := r.Level()
			require.Zero(t, now)
			require.EqualValues(t, 5, peak)
		})
	}
}

func TestShutdownOfARunnerHonoursItsContext(t *testing.T) {
	for _, name := range runners {
		synctest.Test(t, func(t *testing.T) {
			r, err := newRunner(name, time.Second, time.Second, quiet())
			require.NoError(t, err)
			r.Run(func() { time.Sleep(time.Hour) })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			start := time.Now()
			require.ErrorIs(t, r.Shutdown(ctx), context.DeadlineExceeded)
			require.Equal(t, time.Minute, time.Since(start))
			require.NoError(t, r.Shutdown(t.Context()))
			require.Equal(t, time.Hour, time.Since(start))
		})
	}
}

func TestSpawnerCountsItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(spawner)
		for range 3 {
			s.Run(func() { time.Sleep(time.Second) })
		}
		require.Equal(t, "running=3 peak=3 submitted=3", s.Counts().String())
		time.Sleep(2 * time.Second)
		s.Run(func() {})
		synctest.Wait()
		require.Equal(t, "running=0 peak=3 submitted=4", s.Counts().String())
	})
}

func TestBackOffWaitsLongerEachTimeAndStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b backOff
		var waits []time.Duration
		for range 10 {
			start := time.Now()
			require.True(t, b.afterError(t.Context(), quiet(), "read", errors.New("out of luck")))
			waits = append(waits, time.Since(start))
		}
		require.Equal(t, firstWait, waits[0])
		require.Equal(t, 2*firstWait, waits[1])
		require.Equal(t, lastWait, waits[9])
		b.reset()
		start := time.Now()
		require.True(t, b.afterError(t.Context(), quiet(), "read", errors.New("out of luck")))
		require.Equal(t, firstWait, time.Since(start))
	})
}

func TestBackOffEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := backOff{wait: lastWait}
		ctx, cancel := context.WithTimeout(t.Context(), lastWait/2)
		defer cancel()
		start := time.Now()
		require.False(t, b.afterError(ctx, quiet(), "read", errors.New("out of luck")))
		require.Equal(t, lastWait/2, time.Since(start))
	})
}
