package hemlock

// KillerArmed reports whether the killer's goroutine exists. A test cannot see
// from outside that a pool above its minimum is being watched without waiting
// for an interval to pass.
func (p *Pool) KillerArmed() bool { return p.killer.armed.Load() }

// MeetEndOfKiller calls f between a killer's last look at the pool and its
// disarming, a moment that a test would have to hit within nanoseconds.
func (p *Pool) MeetEndOfKiller(f func()) {
	p.killer.armed.Store(true)
	f()
	if !p.killer.disarm() {
		go p.killer.run()
	}
}
