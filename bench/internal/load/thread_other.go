//go:build !linux

package load

import "time"

// threadTime returns the time of the monotonic clock. The best of many trials
// in a row was not interrupted, so that for it the two are the same.
func threadTime() time.Duration { return now() }

// nanosleep is what the other systems have no portable call for.
func nanosleep(d time.Duration) { time.Sleep(d) }
