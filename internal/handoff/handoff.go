// Package handoff passes tasks from submitters to idle workers.
//
// Idle workers wait on unbuffered channels: at most 8 on the seats of each
// processor's station, the others on one shared channel, the reserve. A
// submitter looks at the seats of its own processor first and at the reserve
// late, so that the same few workers stay hot and the reserve holds the
// coldest. A nil task is the pill: it tells the worker that takes it to leave.
package handoff

import (
	"runtime"
	"sync"

	"go.uber.org/atomic"
)

// nearStations is how many stations beside its own a submitter tries before
// the reserve. The rest come after it: on a machine with very many processors
// the scan costs more than a colder worker.
const nearStations = 3

// A delivery is what passes from hand to hand: a task, and the station of who
// submitted it. The zero delivery is the pill.
type delivery struct {
	task func()
	from *Station
}

// trySend hands the delivery to a worker that waits on the channel, if there is
// one. A send that fails on an unbuffered channel takes no lock.
func trySend(waiting chan<- delivery, d delivery) bool {
	select {
	case waiting <- d:
		return true
	default:
		return false
	}
}

// A Handoff is where submitters and idle workers meet. It queues nothing: a
// task passes from hand to hand or not at all.
type Handoff struct {
	// Immutable after New.
	stations []Station
	reserve  chan delivery

	// tokens holds pointers to stations. Get and Put of a sync.Pool work on
	// the list of the processor they run on, so a processor mostly gets the
	// station it put back, without a lock and without runtime internals. After
	// a garbage collection the lists are made anew, which allocates.
	tokens sync.Pool

	shutting sync.Once // guards the closing of the gates

	// mu guards closed, and holds the channels open while a pill is sent.
	mu     sync.Mutex
	closed bool

	issued atomic.Uint32 // tokens made so far; deals the stations out in turn
}

// New returns a Handoff with one station for each processor in use.
func New() *Handoff {
	h := &Handoff{
		stations: make([]Station, runtime.GOMAXPROCS(0)),
		reserve:  make(chan delivery),
	}
	for i := range h.stations {
		h.stations[i].index = i
		h.stations[i].seats = make(chan delivery)
	}
	h.tokens.New = func() any {
		return &h.stations[h.issued.Add(1)%uint32(len(h.stations))]
	}
	return h
}

// Local returns the station of the processor it is called on. It is a hint:
// any station is correct at any time, a near one is fast.
func (h *Handoff) Local() *Station {
	token := h.tokens.Get()
	h.tokens.Put(token)
	return token.(*Station)
}

// Offer hands the task to an idle worker and reports true, or reports false
// when it found none. It never blocks. Only a caller whose task was accepted
// may offer it, and only until the task has completed: that is what keeps a
// send away from the channels that [Handoff.Close] closes.
func (h *Handoff) Offer(at *Station, task func()) bool {
	d := delivery{task, at}
	all := len(h.stations)
	near := min(nearStations+1, all)
	return at.offer(d) ||
		h.offerAround(at, 1, near, d) ||
		trySend(h.reserve, d) ||
		h.offerAround(at, near, all, d)
}

// offerAround offers the task at the stations that lie from first up to, not
// including, last behind the given one.
func (h *Handoff) offerAround(at *Station, first, last int, d delivery) bool {
	for i := first; i < last; i++ {
		if h.stations[(at.index+i)%len(h.stations)].offer(d) {
			return true
		}
	}
	return false
}

// Take waits for a task, on a seat of the station if one is free, else on the
// reserve. It returns the task and the station of its submitter, which is where
// the worker should wait next: it runs on that processor now, and that is where
// the load is. It returns nil when the worker should leave.
func (h *Handoff) Take(at *Station) (func(), *Station) {
	waiting := h.reserve
	if at.sit() {
		waiting = at.seats
	}
	d := <-waiting
	return d.task, d.from
}

// Poison hands a pill to a worker that is idle now, the reserve first, and
// reports whether it found one. It never waits for a worker: a pill that
// waited would take the next one to finish, however busy the pool.
func (h *Handoff) Poison() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	if trySend(h.reserve, delivery{}) {
		return true
	}
	for i := range h.stations {
		if h.stations[i].offer(delivery{}) {
			return true
		}
	}
	return false
}

// Shut makes every station refuse. It may be called again, and returns when all
// of them do. Who is refused at one station calls it before telling anybody:
// else the next task could still be accepted at another.
func (h *Handoff) Shut() {
	h.shutting.Do(func() {
		for i := range h.stations {
			h.stations[i].gate.close()
		}
	})
}

// Close sends every idle worker away, now and later. It may be called again.
// The caller must know that the handoff is shut and that all accepted tasks
// have completed: then nobody is left who may offer a task, and Poison keeps
// away by itself, so no send can meet a closed channel.
func (h *Handoff) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	close(h.reserve)
	for i := range h.stations {
		close(h.stations[i].seats)
	}
}

// Counts returns how many tasks were accepted and how many of them have
// completed. Completed is read first: a task is accepted before it completes,
// so the difference is never negative.
func (h *Handoff) Counts() (accepted, completed uint64) {
	for i := range h.stations {
		completed += h.stations[i].completed.Load()
	}
	for i := range h.stations {
		accepted += h.stations[i].gate.accepted()
	}
	return accepted, completed
}
