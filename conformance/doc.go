// Package conformance is the contract of an elastic, unbounded goroutine pool
// as a suite of named clauses that any pool can be examined by.
//
// A test describes the pool as a [Subject] and hands it to [Run]:
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, conformance.Subject{
//			Name:      "mypool",
//			Package:   "example.com/mypool",
//			New:       func(conformance.Settings) conformance.Pool { return mypool.New() },
//			Abilities: []conformance.Ability{conformance.Shutdown},
//		})
//	}
//
// # Isolation
//
// Each clause is examined in a process of its own, which is the running test
// binary started again. So a pool that hangs, crashes the process or leaves
// goroutines behind fails the clause that shows it and disturbs no other. A
// process that does not end by itself is killed after the clause's time limit.
//
// # Time
//
// Nearly all clauses run in a bubble of [testing/synctest]: hours pass in milliseconds,
// and a pool that is stuck is found at once as a deadlock. A pool that keeps channels,
// timers or goroutines in package variables cannot be examined that way, and fails.
//
// # What is not promised
//
// A clause about a feature that the subject does not have (see [Ability]), or
// that its documentation never promised (see [Subject.Waived]), is not
// applicable and is never counted as a failure.
package conformance
