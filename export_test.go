package hemlock

// KillerArmed reports whether the killer's goroutine exists. From outside a test
// cannot see whether a pool above its minimum is being watched, unless it waits for an
// interval.
func (p *Pool) KillerArmed() bool { return p.killer.armed.Load() }

// Enough returns how many workers on their way the pool takes for enough. It shows
// what the pool has learned of how long its tasks take.
func (p *Pool) Enough() int32 { return p.handoff.Enough() }

// MeetHandOver calls f while a task has been accepted and no worker has it, which
// lasts some nanoseconds in Submit.
func (p *Pool) MeetHandOver(f func()) {
	at := p.handoff.Accept()
	f()
	at.Complete()
}

// MeetTrim calls f while a Trim is under way, which lasts microseconds.
func (p *Pool) MeetTrim(f func()) {
	p.killer.trims <- struct{}{}
	f()
	<-p.killer.trims
}
