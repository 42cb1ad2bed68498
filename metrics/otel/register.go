package hemlockotel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"example.com/hemlock"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Register has the pool's counts reported through the meter whenever its reader
// collects, until unregister is called. The name becomes the attribute
// hemlock.pool.name; it must not be empty and must be valid UTF-8.
//
// Pools with different names can share a meter. A name must not be used twice on
// one meter: OpenTelemetry does not refuse that, and reports the sums of the two
// pools.
//
// Register returns an error that names the pool, and reports nothing, if an
// argument is unusable or the meter refuses an instrument. It panics, as every
// method of the pool does, if the pool was not made by [hemlock.New].
//
// unregister takes the pool out, and returns the error of the meter, if any. Further
// calls do nothing and return the same error. Until unregister is called, the meter
// keeps the pool in memory, shut down or not.
func Register(meter metric.Meter, name string, p *hemlock.Pool) (unregister func() error, err error) {
	if err := check(meter, name); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("hemlockotel: pool %q is nil", name)
	}
	p.Stats() // a pool that New did not make panics here and not in a collection
	return register(meter, name, p.Stats)
}

func check(meter metric.Meter, name string) error {
	switch {
	case name == "":
		return errors.New("hemlockotel: empty pool name")
	case !utf8.ValidString(name):
		return fmt.Errorf("hemlockotel: pool name %q is not valid UTF-8", name)
	case meter == nil:
		return fmt.Errorf("hemlockotel: pool %q: the meter is nil", name)
	}
	return nil
}

func register(meter metric.Meter, name string, stats func() hemlock.Stats) (unregister func() error, err error) {
	o := observer{stats: stats}
	if err := o.create(meter, name); err != nil {
		return nil, fmt.Errorf("hemlockotel: register pool %q: %w", name, err)
	}
	registration, err := meter.RegisterCallback(o.observe, o.observables...)
	if err != nil {
		return nil, fmt.Errorf("hemlockotel: register pool %q: %w", name, err)
	}
	return sync.OnceValue(registration.Unregister), nil
}

// An observer is the one callback for all instruments of a pool.
//
// It is tempting to give each instrument a callback of its own. They would take a
// snapshot each, and a busy pool would have completed more tasks than were submitted.
type observer struct {
	// Immutable after create.
	stats       func() hemlock.Stats
	observables []metric.Observable
	points      []point
}

// A point is one measurement of each collection.
type point struct {
	instrument metric.Int64Observable
	attributes metric.ObserveOption
	value      func(hemlock.Stats) int64
}

// create makes the instruments. A meter returns the ones it already has for the next
// pool.
func (o *observer) create(meter metric.Meter, name string) error {
	for _, i := range instruments {
		made, err := i.create(meter, i.name, i.unit, i.help)
		if err != nil {
			return err
		}
		o.observables = append(o.observables, made)
		for _, r := range i.readings {
			o.points = append(o.points, point{made, attributes(name, r.state), r.value})
		}
	}
	return nil
}

func attributes(name, state string) metric.MeasurementOption {
	set := []attribute.KeyValue{attribute.String("hemlock.pool.name", name)}
	if state != "" {
		set = append(set, attribute.String("hemlock.worker.state", state))
	}
	return metric.WithAttributeSet(attribute.NewSet(set...))
}

func (o *observer) observe(_ context.Context, to metric.Observer) error {
	s := o.stats()
	for _, p := range o.points {
		to.ObserveInt64(p.instrument, p.value(s), p.attributes)
	}
	return nil
}
