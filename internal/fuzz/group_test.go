package fuzz_test

import (
	"context"
	"errors"

	"example.com/hemlock/group"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A part is a task of a group. It waits at its gate, then ends.
type part struct {
	gate    chan struct{}
	how     ending
	err     error // what it returns, or what not to return means
	twice   bool  // it panics again while it panics
	counted bool  // by the pool
}

// A party is a group, and the model of what the documentation promises of it. One kind
// of group is errgroup's, which the model must fit as well.
type party struct {
	group interface {
		Go(task func() error)
		TryGo(task func() error) bool
		SetLimit(n int)
		Wait() error
	}
	ctx    context.Context // nil if the group has none
	pooled bool            // it has a pool; without one, a panic would end the process
	exits  bool            // it does not lose tasks that do not return

	limit   int // negative: none
	active  []*part
	queued  []*part      // in Go, which blocks
	waiting []chan error // in Wait, which blocks
	err     error        // of the first task that failed
	cause   error        // of the end of the context
}

var (
	errFirst  = errors.New("first")
	errSecond = errors.New("second")
	errPart   = errors.New("hemlock/group: a task did not return: it panicked or called runtime.Goexit")
)

// doNewGroup makes a group of one of the kinds, once the last one has ended.
func (d *driver) doNewGroup() {
	d.endGroup()
	p := &party{limit: -1, exits: true}
	switch d.n % 4 {
	case 0:
		p.group, p.ctx = errgroup.WithContext(context.Background())
		p.exits = false
	case 1:
		p.group, p.ctx = group.WithContext(context.Background(), d.pool)
		p.pooled = true
	case 2:
		p.group = group.New(d.pool)
		p.pooled = true
	case 3:
		p.group = new(group.Group)
	}
	d.party = p
}

func (d *driver) endGroup() {
	if d.party == nil {
		return
	}
	for len(d.party.active) > 0 {
		d.doGroupRelease()
		d.rest()
	}
	d.doGroupWait()
	d.rest()
}

// ofGroup returns the group; without one it makes one.
func (d *driver) ofGroup() *party {
	if d.party == nil {
		d.doNewGroup()
	}
	return d.party
}

// check compares the group at rest with the model.
func (p *party) check(t require.TestingT) {
	if p == nil {
		return
	}
	for _, result := range p.waiting {
		select {
		case err := <-result:
			require.Empty(t, p.active, "Wait returned while tasks are active")
			require.Equal(t, p.err, asKnown(err))
		default:
			require.NotEmpty(t, p.active, "Wait still waits, and no task is active")
		}
	}
	if len(p.active) == 0 && len(p.waiting) > 0 {
		p.waiting = nil
		p.end(context.Canceled)
	}
	if p.ctx != nil {
		require.Equal(t, p.cause, asKnown(context.Cause(p.ctx)), "the cause of the end of the context")
	}
}

// asKnown returns errPart for the group's error of that text.
func asKnown(err error) error {
	if err != nil && err.Error() == errPart.Error() {
		return errPart
	}
	return err
}

// end accounts for what ends the context.
func (p *party) end(cause error) {
	if p.cause == nil {
		p.cause = cause
	}
}

func (p *party) full() bool { return p.limit >= 0 && len(p.active) >= p.limit }

// newPart returns a task that ends as the operation says, if the group allows it, and
// the function that Go gets.
func (d *driver) newPart() (*part, func() error) {
	g := d.ofGroup()
	p := &part{gate: make(chan struct{}), how: d.how, err: errPart, twice: d.n%2 == 1}
	switch {
	case !g.exits:
		p.how = returns
	case !g.pooled && p.how == panics:
		p.how = exits
	}
	if p.how == returns {
		p.err = []error{nil, errFirst, errSecond}[d.n%3]
	}
	return p, func() error {
		d.ran.Inc()
		<-p.gate
		if p.how == panics && p.twice {
			defer d.finishTask(panics)
			panic("replaced")
		}
		d.finishTask(p.how)
		return p.err
	}
}

// beginPart accounts for a task that begins, if the pool counts it.
func (d *driver) beginPart(p *part) {
	if p.counted = d.party.pooled && !d.closed; p.counted {
		d.begin(1)
	}
}

// endPart accounts for the end of a task.
func (d *driver) endPart(p *part) {
	if p.counted {
		d.model.end(1, p.how)
	}
}

// fail accounts for what the end of a task means to its group.
func (g *party) fail(p *part) {
	if p.err != nil && g.err == nil {
		g.err = p.err
		g.end(p.err)
	}
}

// doGroupGo starts a task that waits for its release, or with a large number one that
// ends at once, by Go or TryGo. At the limit TryGo refuses. Go blocks there, on a goroutine
// of its own. No goroutine may be in Wait meanwhile, since the group might be empty for a
// moment.
func (d *driver) doGroupGo() {
	p, task := d.newPart()
	g := d.party
	full := g.full()
	switch {
	case !d.byRun:
		require.Equal(d.t, !full, g.group.TryGo(task), "TryGo")
	case !full:
		g.group.Go(task)
	case g.limit > 0 && len(g.waiting) == 0:
		go g.group.Go(task)
		g.queued = append(g.queued, p)
	}
	if full {
		return
	}
	d.started.Inc()
	d.beginPart(p)
	g.active = append(g.active, p)
	if d.n >= 32 {
		d.endAt(len(g.active) - 1)
	}
}

// doGroupRelease has an active task end.
func (d *driver) doGroupRelease() {
	if g := d.ofGroup(); len(g.active) > 0 {
		d.endAt(d.n % len(g.active))
	}
}

// endAt has the active task of that number end. Then the first in the queue begins. It may
// do so before the worker is idle that ran the other: the pool's counts say which was first.
func (d *driver) endAt(i int) {
	g := d.party
	p := g.active[i]
	g.active = append(g.active[:i:i], g.active[i+1:]...)
	close(p.gate)
	g.fail(p)
	before := d.model
	d.endPart(p)
	if len(g.queued) == 0 {
		return
	}
	next := g.queued[0]
	g.queued, g.active = g.queued[1:], append(g.active, next)
	d.started.Inc()
	d.beginPart(next)
	d.settle()
	if s := d.pool.Stats(); s.Spawned != d.stats.Spawned || s.PeakWorkers != d.stats.PeakWorkers {
		d.model = before
		d.beginPart(next)
		d.endPart(p)
	}
}

// doGroupLimit sets the limit, or checks that this panics.
func (d *driver) doGroupLimit() {
	g, limit := d.ofGroup(), d.n%6-1
	switch {
	case len(g.active) == 0:
		g.group.SetLimit(limit)
		g.limit = limit
	case g.limit >= 0 && limit >= 0: // others are misuse that goes unseen
		require.Panics(d.t, func() { g.group.SetLimit(limit) })
	}
}

// doGroupWait starts a goroutine that waits.
func (d *driver) doGroupWait() {
	g := d.ofGroup()
	if len(g.queued) > 0 {
		return
	}
	result := make(chan error, 1)
	go func() { result <- g.group.Wait() }()
	g.waiting = append(g.waiting, result)
}

// doFanOut has a group of tasks, perhaps with a limit, of which the last one ends as the
// operation says, and waits for it. Where a limit is, tasks begin while others end, so the
// model cannot say how many workers that takes.
func (d *driver) doFanOut() {
	if d.exact() {
		return
	}
	g, ctx := group.WithContext(context.Background(), d.pool)
	if limit := d.n % 10; limit > 0 {
		g.SetLimit(limit)
	}
	how, err := d.how, []error{nil, errFirst}[d.n%2]
	if how != returns {
		err = errPart
	}
	for left := d.n % 20; left >= 0; left-- {
		d.started.Inc()
		g.Go(func() error {
			d.enter()
			if left > 0 {
				return nil
			}
			d.finishTask(how)
			return err
		})
	}
	require.Equal(d.t, err, asKnown(g.Wait()), "what a group returned")
	require.Error(d.t, ctx.Err(), "Wait did not end the context")
}
