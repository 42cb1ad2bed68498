package handoff

import (
	"time"

	"go.uber.org/atomic"
)

const (
	// step is how much longer tasks must take for one more worker on its way to
	// be worth its wake-up.
	step = 256 * time.Nanosecond

	// long is what a longer task counts as, so that one that blocks for a second
	// does not outweigh the next thousand.
	long = 32 * time.Microsecond

	// lengthy is the mean from which on tasks take long; see [Handoff.Lengthy].
	lengthy = 8 * time.Microsecond

	// weight is how many samples the mean goes back.
	weight = 8
)

// A meter estimates how long the tasks of a pool take, from those that workers
// have timed. docs/DESIGN.md has the measurements behind the constants.
//
// It is one word for all shards. Each of them would learn too late what its
// tasks are like.
type meter struct {
	_    [stride]byte
	mean atomic.Int32 // ns, at most long; read by every Submit
	_    [stride]byte
}

// steps returns how many steps the tasks take. Nothing known counts as none.
func (m *meter) steps() int32 { return m.mean.Load() / int32(step) }

// note takes one sample. Of two at the same moment one may be lost, which a mean
// over a few of them bears. A mean that stays is not written: that would take
// the word away from all processors that read it.
func (m *meter) note(d time.Duration) {
	mean := m.mean.Load()
	if change := (int32(min(d, long)) - mean) / weight; change != 0 {
		m.mean.Store(mean + change)
	}
}
