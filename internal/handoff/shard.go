package handoff

import (
	"runtime"
	"time"
	"unsafe"

	"go.uber.org/atomic"
)

// stride keeps two shards off the same cache line, and off the pair of lines
// that a processor fetches together. It is a multiple of 8 on every platform,
// which keeps the 64-bit atomics of a []Shard aligned on 32-bit ones.
// Without it BenchmarkRun is slower.
const stride = 128

// A Shard is what one processor shares with no other while the load is even.
type Shard struct {
	shard
	_ [stride - unsafe.Sizeof(shard{})%stride]byte // never empty: a last field without size would be padded
}

type shard struct {
	// The 64-bit atomics come first: on 32-bit platforms nothing else aligns
	// them.
	gate      gate
	completed atomic.Uint64 // raised by the worker that ran the task

	// yielded is when a worker began to wait for its turn, by the handoff's clock, or 0.
	// The submitter that gives way makes it negative. Of several workers that wait only
	// the last is seen, which is enough: a submitter that gives way lets all of them run.
	yielded atomic.Duration

	// sent counts the tasks that were given to a worker, begun the workers that have
	// begun. In between, the worker is on its way: it has been woken or started and
	// waits for a processor, or a running goroutine is about to wake or start it. sent
	// is raised before the task is handed over. begun is raised by the worker before
	// it looks at the backlog.
	//
	// Invariant: while the backlog is not empty, a worker is on its way, or a running
	// goroutine has yet to look at the backlog, or has taken a task from it and is about
	// to send it. A submitter pushes a task and then looks for a worker on its way. A
	// worker begins and then looks at the backlog. Atomics have one order, so either the
	// submitter sees the worker, or the worker sees the task.
	sent  atomic.Uint32
	begun atomic.Uint32

	backlog backlog
	idle    idlers

	// Immutable.
	handoff *Handoff
	index   int // among the shards of the handoff

	// owed says that a worker's time slice has ended here since a worker last
	// yielded. Workers write it, once in a time slice. A worker may miss it: the next
	// time slice to end sets it again. It is away from the words that each task
	// writes.
	owed atomic.Bool

	coroutines coroutines // those that are idle here
}

// assign leaves the task to the workers on their way to the shard if there are
// enough of them, and sends it to a worker of its own otherwise. The task has been
// accepted here.
func (s *Shard) assign(task func()) {
	if s.onTheirWay() < s.handoff.Enough() {
		s.send(task)
		return
	}
	s.backlog.push(task)
	// Look again: the workers may all have begun, and found the backlog empty, before
	// the push. Then this task would wait for ever.
	switch {
	case s.onTheirWay() == 0:
		s.relay()
	case s.overdue():
		runtime.Gosched()
	}
}

// Patience is how long a worker that yields waits for its turn until a submitter gives
// way to it.
const Patience = 200 * time.Microsecond

// overdue reports, to one submitter, whether a worker has waited too long for its turn.
// A goroutine that makes one system call after another keeps its processor, which idles
// in each of them, until the runtime notices after 10 to 20 ms.
func (s *Shard) overdue() bool {
	since := s.yielded.Load()
	return since > 0 && s.handoff.Clock()-since > Patience && s.yielded.CompareAndSwap(since, -since)
}

// relay sends the task that has waited longest, if any waits.
func (s *Shard) relay() {
	if task := s.backlog.pop(); task != nil {
		s.send(task)
	}
}

// send gives the task to a worker: an idle one, or a new one. The worker is on its
// way from the first line on.
func (s *Shard) send(task func()) {
	s.sent.Add(1)
	if !s.handoff.offer(delivery{task, s}) {
		s.handoff.start(s, task)
	}
}

// onTheirWay returns how many workers are on their way. In whichever order the two
// are read, a worker that is counted here had not begun at the first load, and looks
// at the backlog later than that.
func (s *Shard) onTheirWay() int32 {
	sent := s.sent.Load()
	return int32(sent - s.begun.Load())
}

// Begin says that a worker has begun that was sent a task of this shard. If more
// tasks wait here it sends the next one before the worker runs its own: that is the
// relay.
func (s *Shard) Begin() {
	s.begun.Add(1)
	s.relay()
}

// Abandon gives up a task for which no worker can be started. Tasks that wait go on with
// the next one that is sent here.
func (s *Shard) Abandon() {
	s.begun.Add(1)
	s.Complete()
}

// Next returns a waiting task for a worker that has just run one, or nil. It returns
// nil, too, when another worker is about to take one: that one drains the backlog, and
// two would only wait for each other.
func (s *Shard) Next() func() { return s.backlog.tryPop() }

// Take waits until the worker is sent a task, at a free place of the shard, or else on
// the shared channel. It returns the task and the shard of its submitter, where the
// worker should count it and wait next: it was woken there, and that is where the load
// is. A nil task tells the worker to leave.
func (s *Shard) Take() (task func(), at *Shard) {
	place := s.idle.claim()
	if place == nil {
		place = s.handoff.shared
	}
	d := <-place
	return d.task, d.at
}

// Complete counts a task that has ended.
func (s *Shard) Complete() { s.completed.Add(1) }

// Waits reports whether tasks wait at the shard.
func (s *Shard) Waits() bool { return s.backlog.len() > 0 }

// Owe says that a time slice has ended: the worker that begins next owes every other
// goroutine a turn.
func (s *Shard) Owe() { s.owed.Store(true) }

// often says of how many workers that begin one yields, if tasks wait then, whatever the
// clock says: where tasks block before they end, no worker finds its time slice over. The
// runtime looks at its global queue about as often, at every 61st goroutine.
const often = 64

// Settle reports whether a turn is owed. The caller must yield then.
func (s *Shard) Settle() bool {
	return s.owed.Load() && s.owed.CompareAndSwap(true, false) || s.begun.Load()%often == 0 && s.Waits()
}

// Yield lets every goroutine that is ready to run on this processor have its turn. It
// returns how long that took, whether a submitter gave way, and the time.
func (s *Shard) Yield() (turn time.Duration, gaveWay bool, now time.Duration) {
	since := s.handoff.Clock()
	s.yielded.Store(since)
	runtime.Gosched()
	gaveWay = s.hadTurn(since)
	now = s.handoff.Clock()
	return now - since, gaveWay, now
}

// hadTurn says that the worker that has waited since then has had its turn, and reports
// whether a submitter gave way to it.
func (s *Shard) hadTurn(since time.Duration) (gaveWay bool) {
	return !s.yielded.CompareAndSwap(since, 0) && s.yielded.CompareAndSwap(-since, 0)
}
