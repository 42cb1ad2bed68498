//go:build !linux

package drive

import "time"

// pause sleeps.
func pause(d time.Duration) { time.Sleep(d) }
