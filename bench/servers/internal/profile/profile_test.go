package profile

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
)

// encode returns a profile in which each stack, from its leaf on, has the given
// value. "f<g" is f, which is inlined in g.
func encode(t *testing.T, values []int64, stacks ...[]string) []byte {
	t.Helper()
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	for i, stack := range stacks {
		sample := &profile.Sample{Value: []int64{1, values[i]}}
		for _, names := range stack {
			at := &profile.Location{ID: uint64(len(p.Location) + 1)}
			for name := range strings.SplitSeq(names, "<") {
				function := &profile.Function{ID: uint64(len(p.Function) + 1), Name: name}
				p.Function, at.Line = append(p.Function, function), append(at.Line, profile.Line{Function: function})
			}
			p.Location, sample.Location = append(p.Location, at), append(sample.Location, at)
		}
		p.Sample = append(p.Sample, sample)
	}
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return b.Bytes()
}

func TestSharesAreOfTheTimeAndNotOfTheSamples(t *testing.T) {
	shares, err := Shares(encode(t, []int64{10, 20, 30, 40},
		[]string{"runtime.memmove", "runtime.copystack", "runtime.newstack"},
		[]string{"runtime.copystack", "runtime.shrinkstack", "runtime.gcBgMarkWorker"},
		[]string{"runtime.newstack"},
		[]string{"main.main"}))
	require.NoError(t, err)
	require.Equal(t, map[string]float64{
		"newstack":     0.4,
		"copystack":    0.3,
		"shrinkstack":  0.2,
		"all three":    0.6,
		"collector":    0.2,
		"scheduler":    0,
		"locks":        0,
		"system calls": 0,
	}, shares)
	require.Len(t, shares, len(Parts()))
}

func TestInlinedFunctionsCount(t *testing.T) {
	for _, stack := range []string{"runtime.lock2<runtime.lock", "sync.fatal<runtime.unlock2"} {
		shares, err := Shares(encode(t, []int64{1}, []string{stack}))
		require.NoError(t, err)
		require.InDelta(t, 1, shares["locks"], 0, stack)
	}
}

func TestAProfileWithoutSamplesHasNoShares(t *testing.T) {
	shares, err := Shares(encode(t, nil))
	require.NoError(t, err)
	require.Nil(t, shares)
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	_, err := Shares([]byte("no profile"))
	require.Error(t, err)
}
