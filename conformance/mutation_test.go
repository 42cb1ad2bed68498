package conformance_test

import (
	"testing"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
)

// subject makes the flaw a subject that claims all that hemlock does. Its name is that
// of the flaw, and its package that of these tests.
func (f flaw) subject() conformance.Subject {
	s := self.Subject()
	s.Name, s.Package, s.New = f.what, "example.com/hemlock/conformance_test", f.make
	return s
}

func TestEachClauseCatchesItsBrokenPools(t *testing.T) {
	clauses := map[string]conformance.Clause{}
	for _, c := range conformance.Clauses() {
		clauses[c.Name] = c
	}
	for _, f := range flaws() {
		t.Run(f.clause+"/"+f.what, func(t *testing.T) {
			if f.what == "lets workers start workers" && race.Slowdown > 1 {
				t.Skip("with the race detector the runtime shuffles what it runs next")
			}
			c, known := clauses[f.clause]
			require.True(t, known, "no clause %s", f.clause)
			r := conformance.Examine(t, f.subject(), c)
			require.Equal(t, conformance.Fail, r.Outcome, "a pool that %s passes %s", f.what, f.clause)
			require.Contains(t, r.Reason, f.says)
			require.NotContains(t, r.Reason, "hung", "the clause should find out by itself, not by the time limit")
		})
	}
}

func TestEachClauseHasABrokenPool(t *testing.T) {
	caught := map[string]bool{}
	for _, f := range flaws() {
		caught[f.clause] = true
	}
	for _, c := range conformance.Clauses() {
		require.True(t, caught[c.Name], "no broken pool shows that %s can fail", c.Name)
	}
	require.Len(t, caught, len(conformance.Clauses()))
}
