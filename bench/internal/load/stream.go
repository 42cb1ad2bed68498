package load

import (
	"sync/atomic"
	"time"
)

const (
	// flood is how many tasks of a load may be accepted and not yet ended. It keeps
	// a runner that starts a goroutine for each below 1 GiB. It is far more than a
	// scheduler lets a submitter get ahead.
	flood = 1 << 18

	// heartbeat is after how many tasks a submitter compares its own with flood.
	// Each time costs it a cache line that every task writes to.
	heartbeat = 1 << 10
)

// stream submits without a pause until it is told to stop.
type stream struct {
	submit func()
	flood  int // its part of all

	_ [cacheLines]byte
	// pending is minus the number of tasks that have ended, until the submitter
	// stops and adds the number of all. From then on it is the number of tasks that
	// have not ended, and the task that makes it 0 sends to ended. With a WaitGroup
	// the submitter would have to write for each task too.
	pending atomic.Int64
	_       [cacheLines]byte

	ended chan struct{}
}

func newStream(l *Load, bind Bind) *stream {
	s := &stream{flood: flood / l.crowd(), ended: make(chan struct{}, 1)}
	s.submit = bind(func() {
		l.spend()
		if s.pending.Add(-1) == 0 {
			s.ended <- struct{}{}
		}
	})
	return s
}

func (s *stream) turn(stop *flag) int {
	submitted := 0
	for submitted == 0 || !stop.Load() {
		s.submit()
		if submitted++; submitted%heartbeat == 0 {
			s.ebb(submitted, stop)
		}
	}
	if s.pending.Add(int64(submitted)) > 0 {
		<-s.ended
	}
	return submitted
}

// ebb waits while too many tasks have not ended.
func (s *stream) ebb(submitted int, stop *flag) {
	for submitted+int(s.pending.Load()) > s.flood && !stop.Load() {
		time.Sleep(100 * time.Microsecond)
	}
}

// probe returns nothing: the submitter gets as far ahead as it can, and a latency
// would only say how far.
func (s *stream) probe() []time.Duration { return nil }
