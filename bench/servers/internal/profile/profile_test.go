package profile

import (
	"bytes"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
)

// encode returns a profile in which each stack, from its leaf on, has the given
// value.
func encode(t *testing.T, values []int64, stacks ...[]string) []byte {
	t.Helper()
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	for i, stack := range stacks {
		sample := &profile.Sample{Value: []int64{1, values[i]}}
		for _, name := range stack {
			function := &profile.Function{ID: uint64(len(p.Function) + 1), Name: name}
			at := &profile.Location{ID: function.ID, Line: []profile.Line{{Function: function}}}
			p.Function, p.Location = append(p.Function, function), append(p.Location, at)
			sample.Location = append(sample.Location, at)
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
	function := func(id uint64, name string) *profile.Function { return &profile.Function{ID: id, Name: name} }
	inlined, outer := function(1, "runtime.lock2"), function(2, "runtime.lock")
	at := &profile.Location{ID: 1, Line: []profile.Line{{Function: inlined}, {Function: outer}}}
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}},
		Function:   []*profile.Function{inlined, outer}, Location: []*profile.Location{at},
		Sample: []*profile.Sample{{Value: []int64{1}, Location: []*profile.Location{at}}},
	}
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	shares, err := Shares(b.Bytes())
	require.NoError(t, err)
	require.InDelta(t, 1, shares["locks"], 0)
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
