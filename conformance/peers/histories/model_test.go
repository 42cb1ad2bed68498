package histories_test

import (
	"math/bits"

	"github.com/anishathalye/porcupine"
)

// A state is what can be told of a pool from outside, if its methods did their work one
// after the other, each at some moment between call and return.
//
// Not all of them do. Shutdown closes the pool at one moment, and has drained it at a
// later one, if it returns nil. Do submits its task, and returns when it has ended. Stats
// is no snapshot: its fields are read one after the other, so each is a reading of its
// own. Submitted is exact at some moment. Completed may come late: the end of a task is
// counted after the task has seen it, and for certain only when Do or Shutdown returns.
// But it never falls and never is above the number of tasks that have ended. Of Workers
// only the end is promised; what the other fields are at most is no matter of order.
type state struct {
	closed, drained bool
	accepted, alone set // tasks that the pool counts, and those that came too late
	ended, counted  set // of both kinds; and of those accepted, as Completed for certain
	seen            int // the largest Completed
}

// A set has a bit for each task of a history.
type set uint64

func (s set) has(task int) bool  { return s>>task&1 == 1 }
func (s set) with(task int) set  { return s | 1<<task }
func (s set) size() int          { return bits.OnesCount64(uint64(s)) }
func (s set) within(of set) bool { return s&^of == 0 }

// A step says whether something may happen in a state, and what the state is then.
type step func(s state) (bool, state)

var model = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(s, input, _ any) (bool, any) {
		ok, next := input.(step)(s.(state))
		return ok, next
	},
	DescribeOperation: func(_, output any) string { return output.(string) },
}

// submit is a Submit, which the pool refuses once it is closed, and never before.
func submit(task int, accepted bool) step {
	return func(s state) (bool, state) {
		ok := accepted != s.closed
		if accepted {
			s.accepted = s.accepted.with(task)
		}
		return ok, s
	}
}

// run is a Run, or the beginning of a Do. They do not say whether the pool was closed.
func run(task int) step {
	return func(s state) (bool, state) {
		if s.closed {
			s.alone = s.alone.with(task)
		} else {
			s.accepted = s.accepted.with(task)
		}
		return true, s
	}
}

// begin is the begin of a task: by then it is counted as submitted.
func begin(task int) step {
	return func(s state) (bool, state) { return (s.accepted | s.alone).has(task), s }
}

func end(task int) step {
	return func(s state) (bool, state) {
		s.ended = s.ended.with(task)
		return true, s
	}
}

// returned is the return of a Do.
func returned(task int) step {
	return func(s state) (bool, state) {
		if s.accepted.has(task) {
			s.counted = s.counted.with(task)
		}
		return s.ended.has(task), s
	}
}

// closed is what every Shutdown does.
func closed(s state) (bool, state) {
	s.closed = true
	return true, s
}

// drained is what a Shutdown has done that returns nil.
func drained(s state) (bool, state) {
	ok := s.closed && s.accepted.within(s.ended)
	s.drained, s.counted = true, s.accepted
	return ok, s
}

func readSubmitted(n int64) step {
	return func(s state) (bool, state) { return s.accepted.size() == int(n), s }
}

func readCompleted(n int64) step {
	return func(s state) (bool, state) {
		ok := max(s.seen, s.counted.size()) <= int(n) && int(n) <= (s.accepted&s.ended).size()
		s.seen = int(n)
		return ok, s
	}
}

func readWorkers(n int64) step {
	return func(s state) (bool, state) { return n == 0 || !s.drained, s }
}
