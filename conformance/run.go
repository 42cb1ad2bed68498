package conformance

import (
	"testing"
)

// Run examines the subject by every clause, each in a subtest. A clause that
// fails fails its subtest; one that is not applicable passes with a log line.
//
// Run must be called from a test, once for each name of a subject, and so that
// the test gets there again when it is run alone: the processes of the clauses
// are started as this test of this binary. Code before the call runs in each of
// them.
func Run(t *testing.T, s Subject) {
	t.Helper()
	answer(t, s)
	test := t.Name()
	for _, c := range Clauses() {
		t.Run(c.Name, func(t *testing.T) {
			switch r := examine(t, test, s, c); r.Outcome {
			case Fail:
				t.Errorf("%s\n%s: %s", c.Promise, s.Name, r.Reason)
			case NotApplicable:
				t.Logf("not applicable: %s", r.Reason)
			}
		})
	}
}

// Examine examines the subject by one clause and returns the result. It fails
// the test only if the examination itself does. What is said of [Run] holds for
// it too.
func Examine(t *testing.T, s Subject, c Clause) Result {
	t.Helper()
	answer(t, s)
	return examine(t, t.Name(), s, c)
}
