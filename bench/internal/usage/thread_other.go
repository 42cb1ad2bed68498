//go:build !linux

package usage

import "time"

// Thread returns the time of the monotonic clock. For the best of many trials,
// which is not interrupted, that is the processor time.
func Thread() time.Duration { return time.Since(epoch) }

// Nanosleep is time.Sleep: these systems have no portable call.
func Nanosleep(d time.Duration) { time.Sleep(d) }
