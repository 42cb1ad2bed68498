package hemlockotel

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Waits makes a histogram of how long tasks of a pool wait until they begin, in seconds,
// and returns the function that fills it. Give that to [hemlock.WithWaitObserver]. The
// name becomes the attribute hemlock.pool.name, as with [Register]; it must not be empty
// and must be valid UTF-8. Waits returns an error that names the pool if an argument is
// unusable or the meter refuses the instrument.
//
// The pool tells one task in eight, so the histogram's count is an eighth of the tasks.
func Waits(meter metric.Meter, name string) (observe func(wait time.Duration), err error) {
	if err := check(meter, name); err != nil {
		return nil, err
	}
	h, err := meter.Float64Histogram("hemlock.task.wait", metric.WithUnit("s"),
		metric.WithDescription("How long tasks waited until they began, of one task in eight."),
		metric.WithExplicitBucketBoundaries(10e-6, 40e-6, 160e-6, 640e-6, 2.56e-3, 10.24e-3, 40.96e-3, 163.84e-3, 655.36e-3, 2.62144))
	if err != nil {
		return nil, fmt.Errorf("hemlockotel: the waits of pool %q: %w", name, err)
	}
	pool := attributes(name, "")
	return func(wait time.Duration) { h.Record(context.Background(), wait.Seconds(), pool) }, nil
}
