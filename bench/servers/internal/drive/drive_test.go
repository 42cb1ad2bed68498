package drive

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/target"
)

// A fake is a client whose answers take a while, and of which one may be wrong.
type fake struct {
	takes time.Duration
	wrong int // the call that is wrong; 0: none
	err   error

	mu    sync.Mutex
	asked map[string]bool
	calls int
}

func (f *fake) Call(_ context.Context, question []byte) ([]byte, error) {
	time.Sleep(f.takes)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	f.asked[string(question)] = true
	if f.calls == f.wrong {
		return target.Answer(target.Question(1 << 60)), f.err
	}
	return target.Answer(question), nil
}

func (f *fake) Close() error { return nil }

// dial returns callers of the fake.
func dial(t *testing.T, f *fake, shared bool, callers, connections int) (c *Callers, dialled int) {
	t.Helper()
	f.asked = map[string]bool{}
	of := target.Target{Shared: shared, Dial: func(target.Endpoint) (target.Client, error) {
		dialled++
		return f, nil
	}}
	c, err := Dial(of, target.Endpoint{}, callers, connections)
	require.NoError(t, err)
	return c, dialled
}

func TestCallersShareConnectionsOnlyWhereTheTargetAllowsIt(t *testing.T) {
	for _, test := range []struct {
		shared               bool
		callers, connections int
		want                 int
	}{
		{true, 64, 4, 4},
		{true, 2, 4, 2},
		{false, 64, 4, 64},
	} {
		_, got := dial(t, new(fake), test.shared, test.callers, test.connections)
		require.Equal(t, test.want, got)
	}
}

func TestCallersAskUntilTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: 3 * time.Millisecond}
		c, _ := dial(t, f, true, 5, 2)
		r := c.Run(t.Context(), 10*time.Millisecond)
		require.Equal(t, Result{
			Calls: 5 * 4, Elapsed: 12 * time.Millisecond, // the last begins at 9 ms
			P50: 3 * time.Millisecond, P99: 3 * time.Millisecond,
			P999: 3 * time.Millisecond, Max: 3 * time.Millisecond,
		}, r)
		c.Run(t.Context(), 10*time.Millisecond)
		require.Len(t, f.asked, 2*5*4, "no question comes twice")
	})
}

func TestACallerThatFailsGivesUp(t *testing.T) {
	for name, f := range map[string]*fake{
		"wrong answer": {takes: time.Millisecond, wrong: 7},
		"no answer":    {takes: time.Millisecond, wrong: 7, err: errors.New("no answer")},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := dial(t, f, true, 2, 1)
			r := c.Run(t.Context(), 10*time.Millisecond)
			require.Equal(t, 1, r.Failed)
			require.Contains(t, r.Failure, name)
			require.Equal(t, 10+3, r.Calls, "one caller goes on, the other has three right answers")
		})
	}
}
