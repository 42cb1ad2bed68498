//go:build unix

package race

import (
	"syscall"
	"time"
)

// processTime returns the processor time that the process has used, in user
// and in system mode.
func processTime() (time.Duration, bool) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, false
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), true
}
