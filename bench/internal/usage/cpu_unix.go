//go:build unix

package usage

import (
	"syscall"
	"time"
)

// Process returns the processor time that the process has used, in user and in system
// mode, or 0 if the system does not say.
func Process() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
