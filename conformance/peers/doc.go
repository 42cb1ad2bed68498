// Package peers makes other pools subjects of the conformance suite and writes
// down how they do.
//
// Each pool is configured to be as near to the contract as its options allow:
// without a bound on its workers, and with the times that the suite asks for. A
// clause that the pool's documentation does not promise, or excludes, is waived:
// silence is read in the pool's favour. Where the documentation promises the
// general thing ("waits for all tasks"), the clause about a special case of it
// (a task that calls runtime.Goexit) does apply.
package peers
