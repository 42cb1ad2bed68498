package load

import (
	"sync/atomic"
	"time"
)

// cacheLines is the distance between what two callers write: a pair of lines, which
// some processors fetch together.
const cacheLines = 128

// A caller submits tasks and waits for them. It belongs to one goroutine.
type caller interface {
	// turn submits one batch, waits for it, and returns how many tasks it had.
	turn(stop *flag) int
	// probe does the same and returns how long each task took to start. The
	// result is valid until the next call.
	probe() []time.Duration
}

// newCaller returns a caller of the load.
func newCaller(l *Load, bind Bind) caller {
	switch {
	case l.Batch == Never:
		return newStream(l, bind)
	case l.Batch > 1:
		return newBatch(l, bind)
	default:
		return newSingle(l, bind)
	}
}

// flag tells the callers to stop. All of them read it before each turn, so it
// shares no line with anything that is written.
type flag struct {
	_ [cacheLines]byte
	atomic.Bool
	_ [cacheLines]byte
}

// epoch is where the clock of the probes starts. A difference to it reads the
// monotonic clock alone, which is cheaper than time.Now.
var epoch = time.Now()

// now is the clock of the probes.
func now() time.Duration { return time.Since(epoch) }

// A probe takes the time from the submission of a task to its first
// instruction. It has its cache lines to itself.
type probe struct {
	submitted time.Duration
	latency   time.Duration
	_         [cacheLines]byte
}

func (p *probe) started() { p.latency = now() - p.submitted }

// room is the capacity of the channel on which a task tells its caller that it
// has ended. One token would do, so that a task ends without waiting for its
// caller. The rest makes the runtime lay out a channel over 256 bytes, header
// and buffer: with one token two callers' channels would share a cache line.
const room = 160

// single waits for each of its tasks.
type single struct {
	submit  func()
	probed  func()
	done    chan byte
	watch   probe
	latency [1]time.Duration
}

func newSingle(l *Load, bind Bind) *single {
	s := &single{done: make(chan byte, room)}
	s.submit = bind(func() {
		l.spend()
		s.done <- 0
	})
	s.probed = bind(func() {
		s.watch.started()
		l.spend()
		s.done <- 0
	})
	return s
}

func (s *single) turn(*flag) int {
	s.submit()
	<-s.done
	return 1
}

func (s *single) probe() []time.Duration {
	s.watch.submitted = now()
	s.probed()
	<-s.done
	s.latency[0] = s.watch.latency
	return s.latency[:]
}
