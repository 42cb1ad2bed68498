package main

import (
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
func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, want := range map[time.Duration]int{0: 100, time.Hour + time.Second: 61, 2*time.Minute + time.Second: 3} {
			next := make(chan *mutant)
			taken := map[*mutant]bool{}
			go func() {
				for m := range next {
					taken[m] = true
					time.Sleep(time.Minute)
				}
			}()
			mutants := make([]*mutant, 100)
			for i := range mutants {
				mutants[i] = &mutant{line: i}
			}
			require.Equal(t, want, options{limit: limit}.feed(t.Context(), mutants, next), "%v", limit)
			close(next)
			synctest.Wait()
			require.Len(t, taken, want)
			time.Sleep(time.Minute)
		}
	})
}
