package runner

import "time"

// within runs f and waits for it, but no longer than the limit: a pool that
// cannot end must not keep the others from being measured.
func within(limit time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	select {
	case <-done:
	case <-timeout.C:
	}
}
