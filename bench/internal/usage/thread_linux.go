package usage

import (
	"time"

	"golang.org/x/sys/unix"
)

// Thread returns the processor time that the calling thread has used. The
// goroutine must be locked to it.
func Thread() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return time.Since(epoch) // as on the other systems
	}
	return time.Duration(t.Nano())
}

// Nanosleep sleeps in a system call. A signal may end it early. In a process that has
// nothing else to do, time.Sleep wakes up to a millisecond late, because the runtime waits
// for the network in whole milliseconds.
func Nanosleep(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil)
}
