package runner

import (
	"fmt"
	"time"
)

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

// must panics when a pool refuses what it has no reason to refuse: a
// measurement that went on would count tasks that never ran.
func must(what string, err error) {
	if err != nil {
		panic(fmt.Sprintf("bench: %s: %v", what, err))
	}
}
