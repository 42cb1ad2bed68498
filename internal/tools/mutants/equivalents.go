package main

import (
	"errors"
	"fmt"
)

// An unnoticed is a mutant that no test can notice, and the reason. It is named by
// what does not change when lines move.
type unnoticed struct {
	file, function string
	from, to       string
	reason         string
}

// chosen is why a constant may be another.
const chosen = "the constant was chosen, and nothing tells it from its neighbour"

var equivalents = []unnoticed{
	{
		"count.go", "", "const workerBits = 32", "const workerBits = 33",
		"the peak is kept one bit further up",
	},
	{
		"killer.go", "Pool.kill", "if 2*p.handoff.Coroutines() > p.idle() {", "if 2*p.handoff.Coroutines() >= p.idle() {",
		"where as many are idle of either kind, either may go",
	},
	{
		"killer.go", "killer.init", "k.wake = make(chan struct{}, 1)", "k.wake = make(chan struct{}, 2)",
		"the second token makes the killer look once more",
	},
	{
		"killer.go", "killer.noteSpawn", "if workers > k.minimum {", "if workers >= k.minimum {",
		"a killer that is armed at the minimum ends at once",
	},
	{
		"killer.go", "killer.kill", "defer timer.Stop()", removed,
		"the runtime forgets a timer whose channel no goroutine waits on; but up to Go 1.26 GODEBUG can tell it not to",
	},
	{
		"killer.go", "killer.kill", "if wait := k.wait(lastRound); wait > 0 {", "if wait := k.wait(lastRound); wait > 1 {",
		"a round is held a nanosecond early",
	},
	{
		"killer.go", "killer.init", "k.left = make(chan struct{}, 1)", "k.left = make(chan struct{}, 2)",
		"the second token makes Trim look once more",
	},
	{
		"killer.go", "Pool.trim", "killed := make(chan int64, 1)", "killed := make(chan int64, 2)",
		"one number is sent",
	},
	{"killer.go", "", "const lifetime time.Duration = 1 << 59", "const lifetime time.Duration = 1 << 58", chosen},
	{
		"killer.go", "killer.misplaced", "return k.interval != 0 && k.clock().Abs() > lifetime", "return k.interval != 0 && k.clock().Abs() >= lifetime",
		"no clock is wrong by just so much",
	},
	{"worker.go", "", "slice = 100 * time.Microsecond", "slice = 101 * time.Microsecond", chosen},
	{"worker.go", "", "slice = 100 * time.Microsecond", "slice = 99 * time.Microsecond", chosen},
	{"worker.go", "", "brief = slice / 4", "brief = slice / 5", chosen},
	{"worker.go", "", "brief = slice / 4", "brief = slice / 3", chosen},
	{"worker.go", "", "longest = 10 * time.Millisecond", "longest = 11 * time.Millisecond", chosen},
	{"worker.go", "", "longest = 10 * time.Millisecond", "longest = 9 * time.Millisecond", chosen},
	{
		"worker.go", "worker.measure", "w.long = took > first/timing", "w.long = took >= first/timing",
		"of tasks that take just so long, any number may be timed",
	},
	{
		"worker.go", "worker.measure", "w.over = now >= w.until", "w.over = now > w.until",
		"a time slice ends a nanosecond later",
	},
	{
		"internal/handoff/shard.go", "Shard.Settle",
		"return s.owed.Load() && s.owed.CompareAndSwap(true, false) || s.begun.Load()%often == 0 && s.Waits()",
		"return s.owed.Load() && s.owed.CompareAndSwap(true, false) || s.begun.Load()%often == 1 && s.Waits()",
		"another of the 64 workers yields",
	},
	{"internal/handoff/meter.go", "", "lengthy = 8 * time.Microsecond", "lengthy = 9 * time.Microsecond", chosen},
	{"internal/handoff/meter.go", "", "lengthy = 8 * time.Microsecond", "lengthy = 7 * time.Microsecond", chosen},
	{
		"internal/handoff/handoff.go", "Handoff.Lengthy",
		"func (h *Handoff) Lengthy() bool { return h.meter.mean.Load() > int32(lengthy) }",
		"func (h *Handoff) Lengthy() bool { return h.meter.mean.Load() >= int32(lengthy) }",
		"by a nanosecond",
	},
	{"internal/handoff/shard.go", "", "const often = 64", "const often = 65", chosen},
	{"internal/handoff/shard.go", "", "const often = 64", "const often = 63", chosen},
	{"worker.go", "", "const timing = 8", "const timing = 9", chosen},
	{
		"pool.go", "Pool.observed", "if p.observer == nil || rand.Uint32N(8) != 0 {",
		"if p.observer == nil || rand.Uint32N(8) != 1 {", "another of the eight",
	},
	{"worker.go", "", "const timing = 8", "const timing = 7", chosen},

	{
		"internal/handoff/backlog.go", "backlog.pop", "if b.len() == 0 { return nil }", removed,
		"take finds that there is none, too, with two locks",
	},
	{"internal/handoff/backlog.go", "", "const size = 126", "const size = 127", chosen},
	{"internal/handoff/backlog.go", "", "const size = 126", "const size = 125", chosen},
	{
		"internal/handoff/coroutines.go", "coroutines.takeNewest", "if l.n.Load() == 0 { return nil }", removed,
		"remove finds that there is none, too, with a lock",
	},
	{
		"internal/handoff/coroutines.go", "coroutines.takeNewest", "if l.n.Load() == 0 {", "if l.n.Load() == (-1) {",
		"remove finds that there is none, too, with a lock",
	},
	{
		"internal/handoff/handoff.go", "New",
		"shards: make([]Shard, max(runtime.GOMAXPROCS(0), runtime.NumCPU())),", "shards: make([]Shard, max(runtime.GOMAXPROCS((-1)), runtime.NumCPU())),",
		"it changes no setting either",
	},
	{
		"internal/handoff/handoff.go", "Handoff.offer", "for i := 1; i < len(h.shards); i++ {", "for i := 0; i < len(h.shards); i++ {",
		"the shard of the delivery is asked twice",
	},
	{
		"internal/handoff/handoff.go", "Handoff.offer", "for i := 1; i < len(h.shards); i++ {", "for i := 1; i <= len(h.shards); i++ {",
		"the shard of the delivery is asked twice",
	},
	{
		"internal/handoff/idlers.go", "idlers.close", "defer l.mu.Unlock()", removed,
		"no channel is made any more: a worker that finds mu locked waits on the shared one, which is closed, too",
	},
	{
		"internal/handoff/meter.go", "", "step = 256 * time.Nanosecond", "step = 256 / time.Nanosecond",
		"a nanosecond is 1",
	},
	{"internal/handoff/meter.go", "", "step = 256 * time.Nanosecond", "step = 257 * time.Nanosecond", chosen},
	{"internal/handoff/meter.go", "", "step = 256 * time.Nanosecond", "step = 255 * time.Nanosecond", chosen},
	{"internal/handoff/meter.go", "", "long = 32 * time.Microsecond", "long = 33 * time.Microsecond", chosen},
	{"internal/handoff/meter.go", "", "long = 32 * time.Microsecond", "long = 31 * time.Microsecond", chosen},
	{"internal/handoff/meter.go", "", "weight = 8", "weight = 9", chosen},
	{
		"internal/handoff/meter.go", "meter.note",
		"if change := (int32(min(d, long)) - mean) / weight; change != 0 {", "if change := (int32(min(d, long)) - mean) / weight; change != 1 {",
		"the mean is a nanosecond less, and is written where it stays",
	},
	{
		"internal/handoff/tokens.go", "tokens.draw",
		"procs := runtime.GOMAXPROCS(0)", "procs := runtime.GOMAXPROCS((-1))",
		"it changes no setting either",
	},
}

// markEquivalents gives the mutants of the list their reasons. If an entry has no
// mutant, the code has changed, and the reason may no longer hold.
func markEquivalents(mutants []*mutant) error {
	byKey := map[string]*mutant{}
	for _, m := range mutants {
		byKey[m.key()] = m
	}
	var err error
	for _, u := range equivalents {
		entry := &mutant{file: u.file, function: u.function, from: u.from, to: u.to}
		m := byKey[entry.key()]
		if m == nil || m.reason != "" {
			err = errors.Join(err, fmt.Errorf("equivalents.go: no such mutant, or listed twice: %s", entry.key()))
			continue
		}
		m.reason = u.reason
	}
	return err
}
