package conformance

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stuck is a pool that never returns from Submit, and not because it waits.
type stuck struct{ free *atomic.Bool }

func (s stuck) Submit(func()) error {
	for !s.free.Load() {
	}
	return nil
}

func TestHungProcessIsKilledAndNamed(t *testing.T) {
	s := Subject{Name: "stuck", New: func(Settings) Pool { return stuck{new(atomic.Bool)} }}
	answer(t, s)
	c, _ := find("nil-refused")
	file := filepath.Join(t.TempDir(), "verdict")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // its time is up when it is there, however long it takes to start
		for v, err := readVerdict(file); ctx.Err() == nil; v, err = readVerdict(file) {
			if err == nil && v.Step == "submitting a nil task" {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	end, err := start(ctx, t.Name(), s, c, file)
	require.NoError(t, err)
	require.Equal(t, "hung while submitting a nil task", byVerdict(end))
}

func TestVerdictCountsOnlyWithACleanEnd(t *testing.T) {
	passed := verdict{Step: "testing", Passed: true}
	require.Empty(t, byVerdict(ending{verdict: passed}))
	require.Equal(t, "crashed while testing: WARNING: DATA RACE",
		byVerdict(ending{verdict: passed, code: 66, output: "=\nWARNING: DATA RACE\nRead at"}))
	require.Equal(t, "ended with status 0 while testing", byVerdict(ending{verdict: verdict{Step: "testing"}}))
	require.Equal(t, "lost", byVerdict(ending{verdict: verdict{Reason: "lost"}, code: 1}))
}

func TestCrashCountsOnlyWithItsTextAndStack(t *testing.T) {
	output := "panic: " + crashText + "\n\ngoroutine 7:\n" + crashFunction + "...)"
	require.Empty(t, byCrash(ending{code: crashStatus, output: output}))
	require.Contains(t, byCrash(ending{code: 1, output: output}), "status 1")
	require.Contains(t, byCrash(ending{code: crashStatus, output: "panic: other"}), "without printing")
	require.Contains(t, byCrash(ending{code: crashStatus, output: "panic: " + crashText}), "stack of the task")
	require.Contains(t, byCrash(ending{hung: true}), "hung")
}

func TestPoolThatKeepsWakingUpIsNotAsleep(t *testing.T) {
	asleep := ending{code: 2, output: "panic: deadlock: all goroutines in bubble are blocked"}
	require.Empty(t, byDeadlock(asleep))
	require.Contains(t, byDeadlock(ending{hung: true}), "kept waking up")
}

func TestWaivedClauseNeverFails(t *testing.T) {
	c, _ := find("nil-refused")
	s := Subject{Waived: map[string]string{c.Name: "not documented"}}
	r := grade(s, c, "lost")
	require.Equal(t, NotApplicable, r.Outcome)
	require.Equal(t, "not documented", r.Reason)
	require.Equal(t, "lost", r.Seen)
	require.Equal(t, Fail, grade(Subject{}, c, "lost").Outcome)
	require.Equal(t, Pass, grade(Subject{}, c, "").Outcome)
}

func TestClausesHaveUniqueNamesAndWholePromises(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Clauses() {
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
		require.Regexp(t, `^[a-z]+(-[a-z]+)+$`, c.Name)
		require.Regexp(t, `^[A-Z0-9].*\.$`, c.Promise, c.Name)
	}
}
