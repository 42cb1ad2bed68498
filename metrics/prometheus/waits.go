package hemlockprom

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Waits registers a histogram of how long tasks of a pool wait until they begin, in
// seconds, and returns the function that fills it. Give that to
// [hemlock.WithWaitObserver]. The name becomes the value of the label pool, as with
// [Register]; it must not be empty and must be valid UTF-8. Waits returns an error that
// names the pool, and registers nothing, if an argument is unusable or the name is taken.
//
// The pool tells one task in eight, so the histogram's count is an eighth of the tasks.
func Waits(reg prometheus.Registerer, name string) (observe func(wait time.Duration), err error) {
	if err := check(name); err != nil {
		return nil, err
	}
	if reg == nil {
		return nil, fmt.Errorf("hemlockprom: pool %q: the registerer is nil", name)
	}
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:        "hemlock_task_wait_seconds",
		Help:        "How long tasks waited until they began, of one task in eight.",
		ConstLabels: prometheus.Labels{"pool": name},
		Buckets:     prometheus.ExponentialBuckets(10e-6, 4, 10),
	})
	if err := reg.Register(h); err != nil {
		return nil, fmt.Errorf("hemlockprom: register the waits of pool %q: %w", name, err)
	}
	return func(wait time.Duration) { h.Observe(wait.Seconds()) }, nil
}
