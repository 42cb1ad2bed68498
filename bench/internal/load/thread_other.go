//go:build !linux

package load

import "time"

// threadTime returns the time of the monotonic clock. For the best of many trials,
// which is not interrupted, that is the processor time.
func threadTime() time.Duration { return now() }

// nanosleep is time.Sleep: these systems have no portable call.
func nanosleep(d time.Duration) { time.Sleep(d) }
