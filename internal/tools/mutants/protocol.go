package main

import (
	"fmt"
	"strings"
)

// A change is a mutant of the protocol, by hand: what the syntax does not suggest.
// Each old text must come exactly once in the file.
type change struct {
	name string
	file string
	// pairs of old and new text
	pairs []string
}

// mutant applies the change. Its key has the name in place of the lines.
func (c change) mutant(source []byte) (*mutant, error) {
	text, line, lines := string(source), 0, 1
	for i := 0; i < len(c.pairs); i += 2 {
		before, after, found := strings.Cut(text, c.pairs[i])
		if !found || strings.Contains(after, c.pairs[i]) {
			return nil, fmt.Errorf("protocol.go: %q is not, or more than once, in %s", c.pairs[i], c.file)
		}
		if line == 0 {
			line, lines = 1+strings.Count(before, "\n"), 1+strings.Count(c.pairs[i], "\n")
		}
		text = before + c.pairs[i+1] + after
	}
	return &mutant{
		file: c.file, function: "protocol", line: line, lines: lines,
		from: oneLine(c.pairs[0]), to: c.name, source: []byte(text),
	}, nil
}

var protocol = []change{
	{"an epoch that overflows is early", "internal/handoff/tokens.go", []string{
		"int32(own.round-t.round.Load()) < 0", "own.round < t.round.Load()",
	}},
	{"a token of a later round is replaced", "internal/handoff/tokens.go", []string{
		"int32(own.round-t.round.Load()) < 0", "own.round != t.round.Load()",
	}},
	{"the first token of a round begins none", "internal/handoff/tokens.go", []string{
		"t.round.Store(own.round)", "t.round.Store(own.round - 1)",
	}},

	{"the peak is lost when two raise", "count.go", []string{
		"return int64(uint32(next))\n\t\t}", "return int64(uint32(next))\n\t\t}\n\t\treturn int64(uint32(c.word.Add(1)))",
	}},
	{"two raises count one", "count.go", []string{
		"if c.word.CompareAndSwap(old, next) {", "if c.word.Store(next); true {",
	}},
	{"the killer ends before the tasks", "end.go", []string{
		"if p.handoff.Completed() != p.accepted {", "if p.workers() == 0 && p.handoff.Completed() != p.accepted {",
	}},

	{"the killer does not look again", "killer.go", []string{
		"return !k.needed() || !k.tryArm()", "return true",
	}},
	{"two killers after the second look", "killer.go", []string{
		"!k.needed() || !k.tryArm()", "!k.needed() || k.armed.Swap(true) && false",
	}},
	{"the killer looks before it disarms", "killer.go", []string{
		"k.armed.Store(false)\n\treturn !k.needed() ||", "needed := k.needed()\n\tk.armed.Store(false)\n\treturn !needed ||",
	}},
	{"two submitters arm two killers", "killer.go", []string{
		"return !k.armed.Load() && k.armed.CompareAndSwap(false, true)", "armed := k.armed.Load()\n\tk.armed.Store(true)\n\treturn !armed",
	}},
	{"pills under way are read last", "killer.go", []string{
		"underWay := k.killed.Load() - k.swallowed.Load()\n\treturn k.crew.workers()-underWay > k.minimum",
		"workers := k.crew.workers()\n\treturn workers-(k.killed.Load()-k.swallowed.Load()) > k.minimum",
	}},
	{"pills under way are not counted", "killer.go", []string{
		"k.crew.workers()-underWay > k.minimum", "k.crew.workers() > k.minimum+0*underWay",
	}},
	{"a worker is swallowed before it has left", "worker.go", []string{
		"w.pool.leave()\n\tif w.pill {\n\t\tw.pool.killer.noteSwallowed()\n\t}",
		"if w.pill {\n\t\tw.pool.killer.noteSwallowed()\n\t}\n\tw.pool.leave()",
	}},
	{"a worker of Do is swallowed before it has left", "killer.go", []string{
		"p.stop(c)\n\tp.killer.noteSwallowed()", "p.killer.noteSwallowed()\n\tp.stop(c)",
	}},

	{"no relay when a newborn begins", "worker.go", []string{
		"if !w.successor {\n\t\tw.begin()\n\t}", "",
	}},
	{"a successor begins again", "worker.go", []string{
		"if !w.successor {\n\t\tw.begin()\n\t}", "w.begin()",
	}},
	{"an idle worker does not begin", "worker.go", []string{
		"w.task, w.at = task, at\n\tw.begin()", "w.task, w.at = task, at",
	}},
	{"a worker relays after its task", "worker.go", []string{
		"if !w.successor {\n\t\tw.begin()\n\t}\n\tfor w.run(); w.next();", "w.run()\n\tif !w.successor {\n\t\tw.begin()\n\t}\n\tfor ; w.next();",
	}},
	{"a worker drains on when its time slice is over", "worker.go", []string{
		"if w.over {\n\t\tw.over = false\n\t\tw.at.Owe()\n\t\treturn nil\n\t}", "",
	}},
	{"no turn is owed", "internal/handoff/shard.go", []string{
		"func (s *Shard) Owe() { s.owed.Store(true) }", "func (s *Shard) Owe() {}",
	}},
	{"a debt is never settled", "internal/handoff/shard.go", []string{
		"return s.owed.Load() && s.owed.CompareAndSwap(true, false) ||", "return",
	}},
	{"a worker yields after it has woken the next", "worker.go", []string{
		"if w.at.Settle() {\n\t\tw.yield()\n\t}\n", "",
		"w.at.Begin()", "w.at.Begin()\n\tif w.at.Settle() {\n\t\tw.yield()\n\t}",
	}},
	{"a time slice does not grow with the turn of others", "worker.go", []string{
		"min(turn/2, longest)", "0",
	}},
	{"a time slice is longer than the runtime's", "worker.go", []string{
		"min(turn/2, longest)", "turn/2",
	}},
	{"a submitter never gives way", "internal/handoff/shard.go", []string{
		"case s.overdue():\n\t\truntime.Gosched()\n", "",
	}},
	{"no submitter sees that a worker waits for its turn", "internal/handoff/shard.go", []string{
		"s.yielded.Store(since)", "",
	}},
	{"nobody sees that a submitter gave way", "internal/handoff/shard.go", []string{
		"gaveWay = s.hadTurn(since)", "",
	}},
	{"a time slice never begins", "worker.go", []string{
		"w.over = now >= w.until", "w.over = w.until != 0 && now >= w.until",
		"if w.until == 0 {\n\t\tw.until = now + first\n\t}\n", "",
	}},
	{"no task is long", "worker.go", []string{
		"w.long = took > first/timing", "w.long = false",
	}},
	{"completed before the panic handler", "worker.go", []string{
		"known, v := panics.Told(), recover()", "known, v := panics.Told(), recover()\n\t\tw.at.Complete()",
		"if !panics.Unwinding() {\n\t\tw.complete()", "if !panics.Unwinding() {\n\t\tw.leave()",
	}},
	{"the panic handler must return", "worker.go", []string{
		"defer w.handled() // deferred, because the handler may call runtime.Goexit\n\t\tw.pool.tell(v, known)",
		"w.pool.tell(v, known)\n\t\tw.complete()",
	}},
	{"a worker leaves before its task is completed", "worker.go", []string{
		"w.at.Complete()\n\tw.leave()", "w.leave()\n\tw.at.Complete()",
	}},
	{"a crash counts itself out", "worker.go", []string{
		"case !panics.Unwinding():\n\t\tw.complete()", "case !panics.Unwinding() || w.pool.handler == nil:\n\t\tw.complete()",
	}},

	{"no second look of assign", "internal/handoff/shard.go", []string{
		"case s.onTheirWay() == 0:\n\t\ts.relay()\n", "",
	}},
	{"assign sends its own task after the second look", "internal/handoff/shard.go", []string{
		"s.backlog.push(task)", "",
		"case s.onTheirWay() == 0:\n\t\ts.relay()", "case s.onTheirWay() == 0:\n\t\ts.send(task)",
	}},
	{"begun is raised after the look at the backlog", "internal/handoff/shard.go", []string{
		"s.begun.Add(1)\n\ts.relay()", "s.relay()\n\ts.begun.Add(1)",
	}},
	{"a worker that begins does not relay", "internal/handoff/shard.go", []string{
		"s.begun.Add(1)\n\ts.relay()", "s.begun.Add(1)",
	}},
	{"Pill without the mutex", "internal/handoff/handoff.go", []string{
		"func (h *Handoff) Pill() bool {\n\th.mu.Lock()\n\tdefer h.mu.Unlock()", "func (h *Handoff) Pill() bool {",
	}},
	{"Pill does not look whether the handoff is retired", "internal/handoff/handoff.go", []string{
		"if h.retired {\n\t\treturn false\n\t}", "",
	}},
	{"Close does not wait for all gates", "internal/handoff/handoff.go", []string{
		"h.closing.Do(func() {\n", "go h.closing.Do(func() {\n",
	}},
	{"Close returns at once the second time", "internal/handoff/handoff.go", []string{
		"closing sync.Once", "closing struct{ sync.Mutex; done bool }",
		"h.closing.Do(func() {\n", "h.closing.Lock()\n\tdone := h.closing.done\n\th.closing.done = true\n\th.closing.Unlock()\n\tif !done {\n",
		"h.shards[i].coroutines.close()\n\t\t}\n\t})", "h.shards[i].coroutines.close()\n\t\t}\n\t}",
	}},
	{"the lists of coroutines stay open", "internal/handoff/handoff.go", []string{
		"h.shards[i].coroutines.close()", "",
	}},
	{"accepted is read before completed", "internal/handoff/handoff.go", []string{
		"c.Completed = h.Completed()\n", "for i := range h.shards {\n\t\tc.Accepted += h.shards[i].gate.accepted()\n\t}\n\tc.Completed = h.Completed()\n",
		"for i := range h.shards {\n\t\tc.Accepted += h.shards[i].gate.accepted()\n\t}\n\tended", "ended",
	}},
	{"open tasks are those not completed at first", "internal/handoff/handoff.go", []string{
		"ended := h.Completed()\n", "ended := c.Completed\n",
	}},

	{"sent is raised when the worker begins", "internal/handoff/shard.go", []string{
		"s.sent.Add(1)\n\tif !", "own := task\n\ttask = func() { s.sent.Add(1); own() }\n\tif !",
	}},
	{"a worker that is done waits for the backlog", "internal/handoff/shard.go", []string{
		"{ return s.backlog.tryPop() }", "{ return s.backlog.pop() }",
	}},

	{"claim without a swap", "internal/handoff/idlers.go", []string{
		"if l.taken.CompareAndSwap(taken, taken|1<<place) {", "if l.taken.Store(taken | 1<<place); true {",
	}},
	{"taken is cleared before the send", "internal/handoff/idlers.go", []string{
		"if !trySend(l.channels[place], d) {\n\t\treturn false\n\t}\n\tl.taken.Sub(1 << place)\n\treturn true",
		"for taken := l.taken.Load(); ; taken = l.taken.Load() {\n\t\tif taken>>place&1 == 0 {\n\t\t\treturn false\n\t\t}\n\t\tif l.taken.CompareAndSwap(taken, taken&^(1<<place)) {\n\t\t\tbreak\n\t\t}\n\t}\n\tif !trySend(l.channels[place], d) {\n\t\tl.taken.Add(1 << place)\n\t\treturn false\n\t}\n\treturn true",
	}},
	{"a channel is seen before it is made", "internal/handoff/idlers.go", []string{
		"l.channels[place] = make(chan delivery)\n", "l.made.Add(1 << place)\n\tl.channels[place] = make(chan delivery)\n",
		"close(l.channels[place])\n\t}\n\tl.made.Add(1 << place)", "close(l.channels[place])\n\t}",
	}},
	{"a place is furnished without the mutex", "internal/handoff/idlers.go", []string{
		"if !l.mu.TryLock() {\n\t\treturn false\n\t}\n\tdefer l.mu.Unlock()\n\tif l.made", "if l.made",
	}},
	{"workers wait while a place is furnished", "internal/handoff/idlers.go", []string{
		"if !l.mu.TryLock() {\n\t\treturn false\n\t}\n", "l.mu.Lock()\n",
	}},
	{"a place is furnished twice", "internal/handoff/idlers.go", []string{
		"if l.made.Load()>>place&1 == 1 {\n\t\treturn true\n\t}\n\tl.channels", "if l.made.Load()>>place&1 == 1 {\n\t\tl.made.Sub(1 << place)\n\t}\n\tl.channels",
	}},
	{"close without the mutex", "internal/handoff/idlers.go", []string{
		"func (l *idlers) close() {\n\tl.mu.Lock()\n\tdefer l.mu.Unlock()", "func (l *idlers) close() {",
	}},

	{"pushed is raised before the task is in", "internal/handoff/backlog.go", []string{
		"func (b *backlog) push(task func()) {\n", "func (b *backlog) push(task func()) {\n\tb.pushed.Add(1)\n",
		"b.filled++\n\tb.pushed.Add(1)", "b.filled++",
	}},
	{"popped is read after pushed", "internal/handoff/backlog.go", []string{
		"popped := b.popped.Load() // first, so that the difference is not negative\n\treturn b.pushed.Load() - popped", "pushed := b.pushed.Load()\n\treturn pushed - b.popped.Load()",
	}},
	{"popped is raised before the task is out", "internal/handoff/backlog.go", []string{
		"if b.popped.Load() == b.until && !b.swap() {\n\t\treturn nil\n\t}", "if b.popped.Add(1) == b.until+1 && !b.swap() {\n\t\tb.popped.Sub(1)\n\t\treturn nil\n\t}",
		"b.next++\n\tb.popped.Add(1)", "b.next++",
	}},
	{"pop without the mutex", "internal/handoff/backlog.go", []string{
		"b.outMu.Lock()\n\tdefer b.outMu.Unlock()", "",
	}},
	{"swap without the mutex", "internal/handoff/backlog.go", []string{
		"func (b *backlog) swap() bool {\n\tb.inMu.Lock()\n\tdefer b.inMu.Unlock()", "func (b *backlog) swap() bool {",
	}},

	{"final is written after the bit", "internal/handoff/gate.go", []string{
		"g.final = word >> 1\n\t\tif g.word.CompareAndSwap(word, word|closed) {\n", "if g.word.CompareAndSwap(word, word|closed) {\n\t\t\tg.final = word >> 1\n",
	}},
	{"the gate is closed without a swap", "internal/handoff/gate.go", []string{
		"if g.word.CompareAndSwap(word, word|closed) {\n", "if g.word.Store(word | closed); true {\n",
	}},

	{"put without the mutex", "internal/handoff/coroutines.go", []string{
		"func (l *coroutines) put(c *Coroutine) bool {\n\tl.mu.Lock()\n\tdefer l.mu.Unlock()", "func (l *coroutines) put(c *Coroutine) bool {",
	}},
	{"takeOldest without the mutex", "internal/handoff/coroutines.go", []string{
		"func (l *coroutines) takeOldest() *Coroutine {\n\tl.mu.Lock()\n\tdefer l.mu.Unlock()", "func (l *coroutines) takeOldest() *Coroutine {",
	}},

	{"a spawn is counted after its goroutine starts", "worker.go", []string{
		"p.countSpawn(at, (*handoff.Shard).Abandon)\n\tp.start(at, task, false)",
		"p.start(at, task, false)\n\tp.countSpawn(at, (*handoff.Shard).Abandon)",
	}},
	{"a newborn gets its task through the handoff", "internal/handoff/shard.go", []string{
		"s.handoff.start(s, task)", "s.handoff.start(s, func() {})\n\t\tfor !s.handoff.offer(delivery{task, s}) {\n\t\t}",
	}},
	{"Shutdown prefers the end of its context", "end.go", []string{
		"select {\n\tcase <-p.drained:\n\t\treturn nil\n\tdefault:\n\t\treturn p.unfinished(ctx)\n\t}", "if ctx.Err() != nil {\n\t\treturn p.unfinished(ctx)\n\t}\n\treturn nil",
	}},
	{"the pool is closed before accepted is known", "end.go", []string{
		"p.accepted = p.handoff.Counts().Accepted\n\tp.closed.Store(true)", "p.closed.Store(true)\n\tp.accepted = p.handoff.Counts().Accepted",
	}},
	{"idle workers are retired within Shutdown", "end.go", []string{
		"go p.retire()", "p.retire()",
	}},
	{"the handoff is retired before all tasks have completed", "end.go", []string{
		"if p.handoff.Completed() != p.accepted {\n\t\tp.handoff.Pill()\n\t\treturn\n\t}\n\tp.handoff.Retire()",
		"p.handoff.Retire()\n\tif p.handoff.Completed() != p.accepted {\n\t\treturn\n\t}",
	}},
	{"drained while the killer lives", "end.go", []string{
		"p.workers() > 0 || p.killer.armed.Load()", "p.workers() > 0",
	}},
	{"one kind of worker is always killed first", "killer.go", []string{
		"if 2*p.handoff.Coroutines() > p.idle() {\n\t\treturn p.killCoroutine() || p.handoff.Pill()\n\t}", "",
	}},
	{"a worker of Do is put back before its task is counted", "do.go", []string{
		"clean(w.pool.labels)\n\tw.At.Complete()\n}", "clean(w.pool.labels)\n\tdefer w.At.Complete()\n\tif w.pool.handoff.Return(&w.Coroutine) {\n\t\tw.ran = w.most\n\t}\n}",
	}},
	{"tasks that are handed over are not counted as waiting", "stats.go", []string{
		"waiting := max(min(int64(tasks.Waiting), int64(tasks.Open)), int64(tasks.Open)-running)", "waiting := int64(tasks.Waiting)",
	}},
	{"running counts what waits", "stats.go", []string{
		"int64(tasks.Accepted-tasks.Completed-tasks.Waiting)", "int64(tasks.Accepted-tasks.Completed)",
	}},
}
