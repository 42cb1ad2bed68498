package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The lists fit the code: each hand-made change applies, and each equivalent names a
// mutant. No two mutants have one name.
func TestListsFitTheCode(t *testing.T) {
	root, err := findRoot()
	require.NoError(t, err)
	mutants, err := generateAll(root)
	require.NoError(t, err)
	require.NoError(t, markEquivalents(mutants))
	reasons, names := 0, map[string]bool{}
	for _, m := range mutants {
		require.False(t, names[m.key()], "two are %s", m.key())
		names[m.key()] = true
		if m.reason != "" {
			reasons++
		}
	}
	require.Equal(t, len(equivalents), reasons)
}

func TestEntryWithoutAMutantIsAnError(t *testing.T) {
	require.ErrorContains(t, markEquivalents(nil), "no such mutant")
	file := []byte("package p\n\nvar a = b < c\n")
	c := change{"half of it", "p.go", []string{"b < d", "b"}}
	_, err := c.mutant(file)
	require.ErrorContains(t, err, "is not, or more than once")
	c.pairs[0] = "a"
	_, err = c.mutant(file)
	require.ErrorContains(t, err, "is not, or more than once")
	c.pairs[0] = "b < c"
	m, err := c.mutant(file)
	require.NoError(t, err)
	require.Equal(t, "package p\n\nvar a = b\n", string(m.source))
	require.Equal(t, "p.go:3: protocol: b < c => half of it", m.String())
}

func TestChoose(t *testing.T) {
	root, err := findRoot()
	require.NoError(t, err)
	all := func() []*mutant {
		return []*mutant{{file: "a.go", to: "first"}, {file: "b.go", to: "second"}}
	}
	for _, c := range []struct {
		options options
		want    int
	}{
		{options{}, 2},
		{options{run: "sec"}, 1},
		{options{run: "^b.go:"}, 1},
		{options{run: "third"}, 0},
		{options{since: "no-such-commit"}, 0}, // a clone may be shallow
		{options{since: "HEAD"}, 0},           // neither file is there
	} {
		chosen, err := c.options.choose(t.Context(), root, all())
		require.NoError(t, err)
		require.Len(t, chosen, c.want, "%+v", c.options)
	}
	_, err = options{run: "("}.choose(t.Context(), root, all())
	require.Error(t, err)
}

// What there is no time for is not begun, and all of it is when there is time.
func TestEachBeginsNoneWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mutants := make([]*mutant, 100)
		for limit, want := range map[time.Duration]int{0: 100, time.Hour + time.Second: 61, 2*time.Minute + time.Second: 3} {
			begun := 0
			require.NoError(t, options{limit: limit}.each(t.Context(), mutants, func(context.Context, *mutant) error {
				begun++
				time.Sleep(time.Minute)
				return nil
			}))
			require.Equal(t, want, begun, "%v", limit)
		}
	})
}

func TestEachEndsWithTheFirstFault(t *testing.T) {
	fault, begun := errors.New("broken"), 0
	err := options{}.each(t.Context(), make([]*mutant, 100), func(context.Context, *mutant) error { begun++; return fault })
	require.ErrorIs(t, err, fault)
	require.Equal(t, 1, begun)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, options{}.each(ctx, make([]*mutant, 100), nil), context.Canceled)
}
