package conformance

// An Outcome is what an examination came to.
type Outcome string

// The outcomes.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"
	NotApplicable Outcome = "n/a"
)

// A Result is the outcome of one clause for one subject.
type Result struct {
	Clause  Clause
	Outcome Outcome

	// Reason says what was seen to go wrong (Fail), or why the subject does not
	// owe the clause (NotApplicable).
	Reason string

	// Seen says, for a clause that does not apply but could be examined, what
	// was seen to go wrong. It is empty if the clause held. Examined tells
	// that from a clause that could not be examined.
	Seen     string
	Examined bool
}

// grade turns what was seen of an examined clause into its result.
func grade(s Subject, c Clause, seen string) Result {
	why, waived := s.Waived[c.Name]
	switch {
	case waived:
		return Result{Clause: c, Outcome: NotApplicable, Reason: why, Seen: seen, Examined: true}
	case seen != "":
		return Result{Clause: c, Outcome: Fail, Reason: seen, Examined: true}
	}
	return Result{Clause: c, Outcome: Pass, Examined: true}
}
