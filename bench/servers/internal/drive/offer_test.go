package drive

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/target"
)

func arrivals(perSecond float64, duration time.Duration) []time.Duration {
	return Arrivals(rand.New(rand.NewPCG(1, 2)), perSecond, duration)
}

func TestArrivalsAreAPoissonProcess(t *testing.T) {
	due := arrivals(5000, 10*time.Second)
	require.InDelta(t, 50_000, len(due), 5*math.Sqrt(50_000))
	require.True(t, slices.IsSorted(due))
	require.Less(t, due[len(due)-1], 10*time.Second)
	longer := 0
	for i := range due[1:] {
		if due[i+1]-due[i] > 200*time.Microsecond {
			longer++
		}
	}
	require.InDelta(t, 1/math.E, float64(longer)/float64(len(due)), 0.01, "1/e of the gaps exceed the mean")
	require.Equal(t, due, arrivals(5000, 10*time.Second), "the same seed draws the same times")
}

// A stalling client answers in a millisecond, except between the two times, when it
// does not answer.
type stalling struct{ from, to time.Time }

func (s stalling) Call(_ context.Context, question []byte) ([]byte, error) {
	time.Sleep(time.Millisecond)
	if now := time.Now(); now.After(s.from) && now.Before(s.to) {
		time.Sleep(s.to.Sub(now))
	}
	return target.Answer(question), nil
}

func (stalling) Close() error { return nil }

// A stall of 100 ms shows in the times of all calls that were due in it, although
// the four callers make only four of them in it.
func TestTimesCountFromWhenACallWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const stall = 100 * time.Millisecond
		from := time.Now().Add(500 * time.Millisecond)
		c := &Callers{clients: []target.Client{stalling{from, from.Add(stall)}}, number: 4, pause: time.Sleep}
		due := arrivals(1000, time.Second)
		r := c.Offer(t.Context(), due)
		require.Equal(t, len(due), r.Calls)
		require.Less(t, r.P50, 5*time.Millisecond)
		// A tenth of the calls were due in it; 99 % are through when 90 % of these are.
		require.Greater(t, r.P99, stall*8/10)
		require.Greater(t, r.Late, stall*8/10, "the callers were late")
		require.GreaterOrEqual(t, r.Max, r.P999)
		require.InDelta(t, stall, r.Max, float64(stall/20))
	})
}

func TestOfferedCallsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: 3 * time.Millisecond}
		c, _ := dial(t, f, true, 5, 2)
		c.pause = time.Sleep
		r := c.Offer(t.Context(), []time.Duration{0, time.Millisecond, time.Millisecond, 9 * time.Millisecond})
		took := 3 * time.Millisecond
		require.Equal(t, Result{Calls: 4, Elapsed: 12 * time.Millisecond, P50: took, P99: took, P999: took, Max: took}, r)
		c.Offer(t.Context(), []time.Duration{0})
		require.Len(t, f.asked, 5, "no question comes twice")
		require.Zero(t, c.Offer(t.Context(), nil))
	})
}

func TestOfferedCallsThatNoCallerMakesHaveFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Millisecond, wrong: 3, err: errors.New("no answer")}
		c, _ := dial(t, f, true, 1, 1)
		c.pause = time.Sleep
		r := c.Offer(t.Context(), []time.Duration{0, 0, 0, 0, 0})
		require.Equal(t, 2, r.Calls)
		require.Equal(t, 3, r.Failed)
		require.Equal(t, "no answer", r.Failure)
	})
}

func TestACallIsNotOfferedBeforeItIsDue(t *testing.T) {
	c, _ := dial(t, new(fake), true, 1, 1)
	began, due := time.Now(), 20*time.Millisecond
	r := c.Offer(t.Context(), []time.Duration{due})
	require.Equal(t, 1, r.Calls)
	require.GreaterOrEqual(t, time.Since(began), due)
	require.GreaterOrEqual(t, r.Late, time.Duration(0))
}
