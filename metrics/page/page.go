package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"example.com/hemlock"
)

// A Pool is a pool as the page shows it.
type Pool struct {
	// Name is the heading. It must be valid UTF-8, not empty, and not that of
	// another pool of the page.
	Name string

	// Pool is shown under the name, open or shut down.
	Pool *hemlock.Pool

	// Options are those that the pool was made with. If nil, the page shows none
	// and does not say how long the pool will take to shrink.
	Options *Options

	// Waits is what the pool's wait observer fills, or nil.
	Waits *Waits
}

// Options are the options of [hemlock.New], as values that can be shown. A field that
// is not set is zero, not the default: begin with [Defaults].
type Options struct {
	KillInterval      time.Duration // of hemlock.WithKillInterval
	KillDelay         time.Duration // of hemlock.WithKillDelay
	MinWorkers        int           // of hemlock.WithMinWorkers
	MaxTasksPerWorker int           // of hemlock.WithMaxTasksPerWorker
	PanicHandler      bool          // whether hemlock.WithPanicHandler was given
}

// Defaults returns the options of a pool for which none were given.
func Defaults() Options {
	return Options{
		KillInterval:      time.Second,
		KillDelay:         10 * time.Second,
		MaxTasksPerWorker: 65_536,
	}
}

// A Page is an [http.Handler] that shows pools. Make one with [Handler]. All
// methods may be called from any goroutine at any time.
type Page struct {
	// Immutable after Handler.
	program string
	epoch   time.Time // samples count from here
	guard   guard
	before  starts // when the page was made

	// mu guards what the sources have seen, and sampling.
	mu       sync.Mutex
	sources  []*source
	sampling int // calls of Sample under way
}

// A source is a pool and what was seen of it. Page.mu guards past.
type source struct {
	name    string
	stats   func() hemlock.Stats
	options *Options
	waits   *Waits
	past    history
}

// Handler returns a page that shows the pools in the order given. It returns an
// error that names the pool if one is unusable, and panics, as every method of
// the pool does, if a pool was not made by [hemlock.New].
func Handler(pools ...Pool) (*Page, error) {
	if len(pools) == 0 {
		return nil, errors.New("hemlock: page: no pool")
	}
	p := &Page{program: filepath.Base(os.Args[0]), epoch: time.Now()}
	p.before.started, _ = started()
	taken := map[string]bool{}
	for _, shown := range pools {
		if err := shown.check(); err != nil {
			return nil, err
		}
		if taken[shown.Name] {
			return nil, fmt.Errorf("hemlock: page: pool name %q is taken", shown.Name)
		}
		taken[shown.Name] = true
		// A pool that New did not make panics here and not in a request.
		p.before.tasks += shown.Pool.Stats().Submitted
		p.add(shown.Name, shown.Pool.Stats, shown.Options).waits = shown.Waits
	}
	return p, nil
}

func (s Pool) check() error {
	switch {
	case s.Name == "":
		return errors.New("hemlock: page: empty pool name")
	case !utf8.ValidString(s.Name):
		return fmt.Errorf("hemlock: page: pool name %q is not valid UTF-8", s.Name)
	case s.Pool == nil:
		return fmt.Errorf("hemlock: page: pool %q is nil", s.Name)
	case s.Options != nil && !s.Options.valid():
		return fmt.Errorf("hemlock: page: pool %q: an option is negative", s.Name)
	}
	return nil
}

func (o Options) valid() bool {
	return o.KillInterval >= 0 && o.KillDelay >= 0 && o.MinWorkers >= 0 && o.MaxTasksPerWorker >= 0
}

// add copies the options, so that the caller may change them for the next pool.
func (p *Page) add(name string, stats func() hemlock.Stats, o *Options) *source {
	s := &source{name: name, stats: stats, past: newHistory()}
	if o != nil {
		own := *o
		s.options = &own
	}
	p.sources = append(p.sources, s)
	return s
}

// Allow makes the page answer to these hosts too, each a name or an address without a
// port. Names are compared without regard to case.
func (p *Page) Allow(hosts ...string) { p.guard.allow(hosts...) }

// Sample takes a sample of each pool once a second until ctx ends, so that a
// person who opens the page sees the ten minutes before. It allocates nothing
// while it runs.
func (p *Page) Sample(ctx context.Context) {
	p.countSampling(+1)
	defer p.countSampling(-1)
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		p.look()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *Page) countSampling(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sampling += n
}

// look takes a sample of each pool, unless the last one is too young.
func (p *Page) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sources {
		s.past.record(s.now(p.epoch))
	}
}

// now returns a sample of the pool. The clock is read under the lock like the
// counts, so that neither runs backwards from one sample to the next.
func (s *source) now(epoch time.Time) sample {
	return sample{at: time.Since(epoch), Stats: s.stats()}
}

// views returns what is known of the pools now, as copies.
func (p *Page) views() (views []view, sampling bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.sources {
		now := s.now(p.epoch)
		s.past.record(now)
		views = append(views, view{name: s.name, options: s.options, samples: s.past.until(now), waits: s.waits.report()})
	}
	return views, p.sampling > 0
}

var _ http.Handler = (*Page)(nil)
