package hemlock

// KillerArmed reports whether the killer's goroutine exists. A test cannot see
// from outside that a pool above its minimum is being watched without waiting
// for an interval to pass.
func (p *Pool) KillerArmed() bool { return p.killer.armed.Load() }
