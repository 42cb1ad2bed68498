package load

import (
	"sync/atomic"
	"time"
)

const (
	// flood is how many tasks of a load may be accepted and not yet ended. It
	// keeps a runner that starts a goroutine for each from using more than
	// 1 GiB, and is far above what a scheduler lets a submitter get ahead.
	flood = 1 << 18

	// heartbeat is after how many tasks a submitter looks whether there are so
	// many. More often would cost it a cache line that every task writes to.
	heartbeat = 1 << 10
)

// stream submits without a pause until it is told to stop.
type stream struct {
	submit func()
	flood  int // its part of all

	_ [cacheLines]byte
	// pending is the number of tasks that have ended, negative, until the
	// submitter knows how many there are and adds that. From then on it is the
	// number of tasks that have not ended, and the one that makes it 0 says so.
	// A WaitGroup would be written once more for each task, by the submitter.
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

// ebb waits while there are too many tasks.
func (s *stream) ebb(submitted int, stop *flag) {
	for submitted+int(s.pending.Load()) > s.flood && !stop.Load() {
		time.Sleep(100 * time.Microsecond)
	}
}

// probe returns nothing: how long a task takes to start says how far its
// submitter is ahead, and it gets as far ahead as it can.
func (s *stream) probe() []time.Duration { return nil }
