package fuzz_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

// A model is what the documentation promises of a pool at rest, written down for one
// caller that does one thing after the other. It knows nothing of shards, places,
// backlogs or pills.
type model struct {
	interval, delay time.Duration
	minimum         int64
	maxTasks        int64

	closed             bool
	stats              hemlock.Stats // without Idle and Recycled
	idleDo             int64         // of the idle workers, those of Do
	spawnedDo          int64         // of the workers spawned, those for Do
	runningDo          int64         // of the tasks that run, those of Do
	lastSpawn, lastRun time.Time     // lastRun: of the killer, a round or its start
	killer             bool          // there should have been a killer at the last check
}

func (m *model) idle() int64 { return m.stats.Workers - m.stats.Running }

// idleRun returns how many idle workers serve Submit and Run.
func (m *model) idleRun() int64 { return m.idle() - m.idleDo }

// armed reports whether the pool should have a killer.
func (m *model) armed() bool {
	return m.interval > 0 && !m.closed && m.stats.Workers > m.minimum
}

// begin accepts n tasks that run at the same time: those for which there is no
// idle worker make the pool spawn.
func (m *model) begin(n int64) {
	if m.closed {
		return
	}
	spawned := max(0, n-m.idleRun())
	m.stats.Submitted += n
	m.stats.Running += n
	m.spawn(spawned)
}

// beginDo accepts n tasks of Do that run at the same time. Its workers are its
// own.
func (m *model) beginDo(n int64) {
	if m.closed {
		return
	}
	spawned := max(0, n-m.idleDo)
	m.idleDo -= min(n, m.idleDo)
	m.spawnedDo += spawned
	m.runningDo += n
	m.stats.Submitted += n
	m.stats.Running += n
	m.spawn(spawned)
}

func (m *model) spawn(n int64) {
	if n == 0 {
		return
	}
	if !m.armed() {
		m.lastRun = time.Now()
	}
	m.lastSpawn = time.Now()
	m.stats.Workers += n
	m.stats.Spawned += n
	m.stats.PeakWorkers = max(m.stats.PeakWorkers, m.stats.Workers)
}

// end completes n tasks. Their workers stay if the tasks returned and the pool
// is open.
func (m *model) end(n int64, how ending) {
	m.stats.Running -= n
	m.stats.Completed += n
	if how == panics {
		m.stats.Panicked += n
	}
	if how != returns {
		m.stats.Workers -= n
	}
	m.retire()
}

// endDo completes n tasks of Do.
func (m *model) endDo(n int64, how ending) {
	m.runningDo -= n
	if how == returns {
		m.idleDo += n
	}
	m.end(n, how)
}

func (m *model) close() {
	m.closed = true
	m.retire()
}

// retire sends the idle workers of a closed pool away.
func (m *model) retire() {
	if m.closed {
		m.stats.Workers = m.stats.Running
		m.idleDo = 0
	}
}

// due is when the killer holds its next round.
func (m *model) due() time.Time {
	byInterval := m.lastRun.Add(max(m.interval, time.Microsecond))
	byDelay := m.lastSpawn.Add(m.delay)
	if byDelay.After(byInterval) {
		return byDelay
	}
	return byInterval
}

// round holds a round of the killer, in which it killed that many workers. The share is
// exact except near the minimum: there the killer may count twice a worker that leaves
// at this moment, and stop early.
func (m *model) round(t require.TestingT, killed int64) {
	spare := m.stats.Workers - m.minimum
	most := min(max(1, m.idle()/16), m.idle(), spare)
	least := min(most, (spare+1)/2)
	require.GreaterOrEqual(t, killed, least, "a round of the killer took too few: %v", m.stats)
	require.LessOrEqual(t, killed, most, "a round of the killer took too many: %v", m.stats)
	m.kill(t, killed)
	m.lastRun = time.Now()
}

// trim accounts for a Trim that killed that many workers and returned err: all that may
// go, unless its context has ended.
func (m *model) trim(t require.TestingT, killed int64, err error) {
	most := min(m.idle(), max(0, m.stats.Workers-m.minimum))
	if m.closed {
		most = 0
	}
	require.LessOrEqual(t, killed, most, "Trim took too many: %v", m.stats)
	if err == nil {
		require.Equal(t, most, killed, "Trim took too few: %v", m.stats)
	}
	m.kill(t, killed)
}

// kill takes off the workers that were killed.
func (m *model) kill(t require.TestingT, killed int64) {
	m.killDo(t, killed)
	m.stats.Killed += killed
	m.stats.Workers -= killed
}

// killDo checks how many of the killed were workers of Do. The killer takes the kind
// of which more are idle, and so leaves about as many of each. It may be wrong by the
// workers that leave at this moment.
func (m *model) killDo(t require.TestingT, killed int64) {
	if m.idleDo == 0 {
		return
	}
	synctest.Wait()
	left := int64(inBubble("hemlock.(*coroutine).work(")) - m.runningDo
	before, others := m.idleDo, m.idleRun()
	require.LessOrEqual(t, left, before, "more idle workers of Do than there were: %v", m.stats)
	require.GreaterOrEqual(t, left, before-killed, "more workers of Do were killed than workers: %v", m.stats)
	require.LessOrEqual(t, killed-(before-left), others, "more other workers were killed than were idle: %v", m.stats)
	if before >= others+2*killed {
		require.Equal(t, before-killed, left, "others were killed where those of Do are many: %v", m.stats)
	}
	if others >= before+2*killed {
		require.Equal(t, before, left, "workers of Do were killed where others are many: %v", m.stats)
	}
	m.idleDo = left
}

// check compares the pool with the model. The model does not know which worker ran how
// many tasks, so it only bounds the number of recycled workers. If each worker runs one
// task, the bounds meet.
func (m *model) check(t require.TestingT, p *hemlock.Pool) {
	got, want := p.Stats(), m.stats
	want.Idle = m.idle()
	want.Recycled = got.Recycled
	require.Equal(t, want, got)
	m.checkKiller(t)

	// Another worker is replaced when the task after its last comes, one of Do with
	// its last task.
	require.LessOrEqual(t, got.Recycled, got.Submitted-got.Spawned+m.spawnedDo, "recycled: %v", got)
	if m.maxTasks == 0 {
		require.Zero(t, got.Recycled)
		return
	}
	fewest, most := m.maxTasks-m.maxTasks/4, m.maxTasks+m.maxTasks/4
	require.LessOrEqual(t, got.Recycled*fewest, got.Submitted, "recycled too early: %v", got)
	require.GreaterOrEqual(t, (got.Spawned+got.Recycled)*most, got.Submitted, "recycled too late: %v", got)
}

// checkKiller compares when there should be a killer with whether there is. It
// looks when the answer changes: to look takes longer than all the rest.
func (m *model) checkKiller(t require.TestingT) {
	if armed := m.armed(); armed != m.killer {
		m.killer = armed
		runs := inBubble("hemlock.(*killer).run(") > 0
		require.Equal(t, armed, runs, "is there a killer? %v", m.stats)
	}
}

// inBubble returns how many goroutines of this bubble have the function on their stack.
// There is no other pool in it.
func inBubble(function string) (n int) {
	head := make([]byte, 128)
	own := bubbleOf(string(head[:runtime.Stack(head, false)]))
	for _, stack := range pooltest.StacksOf(function) {
		if bubbleOf(stack) == own {
			n++
		}
	}
	return n
}

// bubbleOf returns the number of the bubble that a stack names, or 0.
func bubbleOf(stack string) (bubble int) {
	_, rest, _ := strings.Cut(stack, "synctest bubble ")
	_, _ = fmt.Sscanf(rest, "%d", &bubble)
	return bubble
}
