package drive

import (
	"syscall"
	"time"
)

// pause sleeps; a signal may end it early. In a process that has nothing else to
// do, time.Sleep wakes up to a millisecond late, because the runtime waits for
// the network in whole milliseconds.
func pause(d time.Duration) {
	wait := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&wait, nil)
}
