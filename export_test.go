package hemlock

// KillerArmed reports whether the killer's goroutine exists. A test cannot see
// from outside that a pool above its minimum is being watched without waiting
// for an interval to pass.
func (p *Pool) KillerArmed() bool { return p.killer.armed.Load() }

// Count is the count of workers. Two spawns of a pool hardly ever meet within it.
type Count = count

// Raise and Load are what spawns and readers of Stats do.
func (c *Count) Raise()                      { c.raise() }
func (c *Count) Load() (workers, peak int64) { return c.load() }

// Enough returns how many workers on their way the pool takes for enough. It shows
// what the pool has learned of how long its tasks take.
func (p *Pool) Enough() int32 { return p.handoff.Enough() }

// MeetEndOfKiller calls f between a killer's last look at the pool and its
// disarming, a moment that a test would have to hit within nanoseconds.
func (p *Pool) MeetEndOfKiller(f func()) {
	p.killer.armed.Store(true)
	f()
	if !p.killer.disarm() {
		go p.killer.run()
	}
}

// A Killer is a killer without a goroutine, beside a count of workers without
// any. Tests let its steps meet those of submitters and workers within
// nanoseconds, which the killer of a pool does once in many hours.
type Killer struct{ pool *Pool }

// NewKiller returns the killer of a pool that does not start it.
func NewKiller(minimum int) Killer {
	return Killer{New(WithKillInterval(0), WithMinWorkers(minimum))}
}

// TryArm, Disarm and MaySpare are steps of the killer, Pill counts a pill that it
// has delivered, and KillCoworker ends an idle worker of Do.
func (k Killer) TryArm() bool   { return k.pool.killer.tryArm() }
func (k Killer) Disarm() bool   { return k.pool.killer.disarm() }
func (k Killer) MaySpare() bool { return k.pool.killer.maySpare() }
func (k Killer) Pill()          { k.pool.killer.killed.Inc() }
func (k Killer) KillCoworker()  { k.pool.killCoworker() }

// Spawn counts a worker, Swallow takes one off as one that got a pill does.
func (k Killer) Spawn()   { k.pool.count.raise() }
func (k Killer) Swallow() { (&worker{pool: k.pool, pill: true}).leave() }

// Do makes the pool have an idle worker of Do.
func (k Killer) Do() { k.pool.Do(func() {}) }

// MeetHandOver submits the task, and calls f between the moment when it is
// accepted and the one when anybody has it. A task that a worker relays is in
// that place for some nanoseconds, too.
func (p *Pool) MeetHandOver(task, f func()) {
	at := p.handoff.Accept()
	f()
	p.send(p.handoff.Assign(at, task))
}
