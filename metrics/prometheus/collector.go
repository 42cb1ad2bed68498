package hemlockprom

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"example.com/hemlock"
	"github.com/prometheus/client_golang/prometheus"
)

// A Collector is a [prometheus.Collector] over one pool. Make one with [New].
// It holds on to the pool: a pool that is no longer used is kept in memory
// until its collector is unregistered. A pool that was shut down can still be
// collected; its counts stand still.
//
// All methods may be called from any goroutine at any time.
type Collector struct {
	// Immutable after New.
	stats func() hemlock.Stats
	descs []*prometheus.Desc // one for each of exported, in their order
}

// New returns a collector for the pool, which is not registered yet. The name
// becomes the value of the label pool; it must not be empty and must be valid
// UTF-8. New returns an error that names the pool if an argument is unusable,
// and panics, as every method of the pool does, if the pool was not made by
// [hemlock.New].
func New(name string, p *hemlock.Pool) (*Collector, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("hemlockprom: pool %q is nil", name)
	}
	p.Stats() // a pool that New did not make panics here and not in a scrape
	return over(name, p.Stats), nil
}

func check(name string) error {
	switch {
	case name == "":
		return errors.New("hemlockprom: empty pool name")
	case !utf8.ValidString(name):
		return fmt.Errorf("hemlockprom: pool name %q is not valid UTF-8", name)
	}
	return nil
}

func over(name string, stats func() hemlock.Stats) *Collector {
	c := &Collector{stats: stats}
	for _, s := range exported {
		labels := prometheus.Labels{"pool": name}
		if s.state != "" {
			labels["state"] = s.state
		}
		c.descs = append(c.descs, prometheus.NewDesc(s.name, s.help, nil, labels))
	}
	return c
}

// Register makes a collector for the pool, as [New] does, and registers it.
// Pools with different names can share a registry.
//
// It is tempting to return the registry's own error for a name that is taken, but that
// says only that some collector was registered twice. The error of Register names the
// pool, and [errors.As] finds the [prometheus.AlreadyRegisteredError] in it. When
// Register fails, nothing is registered.
//
// To take the pool out again, unregister a Collector that [New] made with the
// same name.
func Register(reg prometheus.Registerer, name string, p *hemlock.Pool) error {
	c, err := New(name, p)
	if err != nil {
		return err
	}
	if reg == nil {
		return fmt.Errorf("hemlockprom: pool %q: the registerer is nil", name)
	}
	if err := reg.Register(c); err != nil {
		return fmt.Errorf("hemlockprom: register pool %q: %w", name, err)
	}
	return nil
}

// Describe sends the descriptions of all metrics. It implements
// [prometheus.Collector].
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		descs <- d
	}
}

// Collect sends all metrics, from a single snapshot of the pool. It implements
// [prometheus.Collector].
//
// It is tempting to give each metric a function of its own that asks the pool, as
// [prometheus.NewGaugeFunc] does. A scrape of a busy pool would then show more tasks
// completed than submitted.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.stats()
	for i, s := range exported {
		metrics <- prometheus.MustNewConstMetric(c.descs[i], s.kind, float64(s.value(stats)))
	}
}
