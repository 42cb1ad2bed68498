package compare

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/target"
)

func TestMain(m *testing.M) {
	process.BecomeServer()
	os.Exit(m.Run())
}

// small is a plan of one quick server.
func small(t *testing.T) Plan {
	t.Helper()
	of, err := target.Find("net/rpc")
	require.NoError(t, err)
	return Plan{
		Targets: []target.Target{of}, Modes: []string{"pool"},
		Stacks: []int{1}, Ballasts: []int{0}, Callers: []int{2},
		Settings: report.Settings{Rounds: 2, Duration: 20 * time.Millisecond, Warmup: 5 * time.Millisecond, Connections: 1},
		Log:      io.Discard,
	}
}

// runLonger runs the plan, with rounds and a budget twice as long each time, until there
// is enough in its report: on a busy machine a server may get no processor for a whole
// round.
func runLonger(t *testing.T, p Plan, enough func(*report.Report) bool) *report.Report {
	t.Helper()
	for {
		r, err := p.Run(t.Context())
		require.NoError(t, err)
		if enough(r) {
			return r
		}
		require.Less(t, p.Settings.Duration, time.Minute, "never enough")
		p.Settings.Duration *= 2
		p.Settings.Budget *= 2
	}
}

func TestEveryModeIsMeasuredInEveryRoundAtEveryCell(t *testing.T) {
	p := small(t)
	p.Callers = []int{1, 2}
	r, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Empty(t, r.Cut)
	require.Equal(t, 2, r.Rounds)
	require.Len(t, r.Cells(), 2)
	for _, cell := range r.Cells() {
		require.Equal(t, []string{"go", "pool"}, r.Modes(cell))
		for _, mode := range r.Modes(cell) {
			rate, ok := r.Absolute(cell, mode, report.Rate)
			require.True(t, ok)
			require.Positive(t, rate.Min)
		}
		_, ok := r.Ratio(cell, "pool", report.Rate)
		require.True(t, ok)
	}
	require.Len(t, r.Measurements, 2*2*2)
	require.Zero(t, r.Failed())
}

func TestBaselineTakesPartOnceAndIsFirst(t *testing.T) {
	of := target.Target{Modes: []string{"go", "pool", "lib"}}
	require.Equal(t, []string{"go", "pool", "lib"}, Plan{}.modesOf(of))
	require.Equal(t, []string{"go", "pond"}, Plan{Modes: []string{"pond"}}.modesOf(of))
	require.Equal(t, []string{"go", "pool"}, Plan{Modes: []string{"pool", "go"}}.modesOf(of))
}

func TestModesThatATargetCannotBeRunInAreLeftOut(t *testing.T) {
	p := Plan{Modes: []string{"pool", "do", "workers"}}
	require.Equal(t, []string{"go", "pool"}, p.modesOf(target.Target{}))
	require.Equal(t, []string{"go", "do", "workers"}, p.modesOf(target.Target{Within: true}))
}

func TestModesTakeTurns(t *testing.T) {
	c := contest{modes: []string{"go", "pool", "lib"}}
	require.Equal(t, []string{"go", "pool", "lib"}, c.turns(0))
	require.Equal(t, []string{"pool", "lib", "go"}, c.turns(1))
	require.Equal(t, []string{"lib", "go", "pool"}, c.turns(2))
	require.Equal(t, []string{"go", "pool", "lib"}, c.turns(3))
	require.Equal(t, []string{"go", "pool", "lib"}, c.modes)
}

func TestCellsAreAllCombinations(t *testing.T) {
	p := small(t)
	p.Targets = target.All()
	p.Modes = nil
	p.Stacks, p.Ballasts, p.Callers = []int{0, 8, 32}, []int{0, 64}, []int{64, 256}
	all := p.contests()
	require.Len(t, all, len(target.All())*3*2*2)
	modes := 0
	for _, of := range target.All() {
		modes += len(of.Modes)
	}
	require.Equal(t, modes*3*2*2, measurements(all))
}

func TestABudgetCutsRoundsFirstAndThenDurations(t *testing.T) {
	const each = 800*time.Millisecond + 200*time.Millisecond + overhead
	s := func(budget time.Duration) *report.Settings {
		return &report.Settings{Rounds: 9, Duration: 800 * time.Millisecond, Warmup: 200 * time.Millisecond, Budget: budget}
	}
	ample := s(10 * 9 * each)
	require.Empty(t, fit(ample, 10))
	require.Equal(t, 9, ample.Rounds)

	tight := s(10 * 4 * each)
	require.Empty(t, fit(tight, 10))
	require.Equal(t, 4, tight.Rounds)
	require.Equal(t, 800*time.Millisecond, tight.Duration)

	short := s(10 * (500*time.Millisecond + overhead))
	require.Equal(t, "time of each measurement: 400ms instead of 800ms", fit(short, 10))
	require.Equal(t, 1, short.Rounds)
	require.Equal(t, 100*time.Millisecond, short.Warmup)

	hopeless := s(time.Millisecond)
	require.NotEmpty(t, fit(hopeless, 10))
	require.Equal(t, least, hopeless.Duration)
	require.Positive(t, hopeless.Warmup)

	none := s(0)
	require.Empty(t, fit(none, 10))
	require.Equal(t, 9, none.Rounds)
}

func TestTheReportSaysWhatTheBudgetHasCut(t *testing.T) {
	p := small(t)
	p.Settings.Rounds, p.Settings.Budget = 1000, 1200*time.Millisecond
	began := time.Now()
	r := runLonger(t, p, func(r *report.Report) bool { return len(r.Measurements) == 2*r.Rounds }) // every round is whole
	require.Less(t, r.Rounds, 1000)
	require.Positive(t, r.Rounds)
	require.Contains(t, r.Cut, "instead of 1000, for a budget of "+r.Settings.Budget.String())
	require.Equal(t, 1000, r.Settings.Rounds)
	require.Less(t, time.Since(began), 50*r.Settings.Budget) // a minute, if the first run is enough
}

func TestABudgetThatOneRoundExceedsEndsIt(t *testing.T) {
	p := small(t)
	p.Callers, p.Settings.Budget = []int{1, 2, 3, 4}, time.Microsecond
	r, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Less(t, len(r.Measurements), 2*4)
	require.Contains(t, r.Cut, "the first round is not whole")
}

func TestEveryModeIsOfferedTheSameShareOfWhatTheBaselineDoes(t *testing.T) {
	p := small(t)
	p.Settings.Rates = []int{10, 50}
	r := runLonger(t, p, func(r *report.Report) bool {
		for _, m := range r.Measurements {
			if m.Load > 0 && m.Calls < 20 {
				return false
			}
		}
		return true
	})
	require.Len(t, r.Measurements, 2*2*3)
	require.Zero(t, r.Failed())
	saturation := map[int]float64{}
	for _, m := range r.Measurements {
		if m.Load == 0 && m.Mode == "go" {
			saturation[m.Round], _ = report.Rate(m)
		}
	}
	calls := map[int]map[int]int{0: {}, 1: {}}
	for _, m := range r.Measurements {
		require.InDelta(t, saturation[m.Round]*float64(m.Load)/100, m.Offered, 1e-6)
		if m.Load > 0 {
			before := calls[m.Round][m.Load]
			require.True(t, before == 0 || before == m.Calls, "all modes of a round have the same arrivals")
			calls[m.Round][m.Load] = m.Calls
		}
	}
	require.Greater(t, calls[0][50], calls[0][10])
}

func TestProfilesAreKeptAndSharesReported(t *testing.T) {
	p := small(t)
	p.ProfileTo, p.Settings.Rounds, p.Settings.Duration = t.TempDir(), 1, 300*time.Millisecond
	runLonger(t, p, func(r *report.Report) bool {
		_, sampled := r.Absolute(r.Cells()[0], "go", report.Share("system calls"))
		return sampled
	})
	for _, mode := range []string{"go", "pool"} {
		info, err := os.Stat(filepath.Join(p.ProfileTo, "net-rpc-1KiB-0MiB-2-0-"+mode+"-1.pprof"))
		require.NoError(t, err)
		require.Positive(t, info.Size())
	}
}

func TestAnErrorKeepsWhatWasMeasured(t *testing.T) {
	p := small(t)
	p.Modes = []string{"none"}
	r, err := p.Run(t.Context())
	require.ErrorContains(t, err, `net/rpc, none: server: no mode "none"`)
	require.Len(t, r.Measurements, 1)
	require.Equal(t, "go", r.Measurements[0].Mode)
}

// A liar is a client with wrong answers.
type liar struct{}

func (liar) Call(context.Context, []byte) ([]byte, error) { return []byte("wrong"), nil }
func (liar) Close() error                                 { return nil }

// If they are all that the baseline has, there is no rate to offer.
func TestWrongAnswersAreCountedAndNamed(t *testing.T) {
	p := small(t)
	p.Settings.Rounds, p.Settings.Rates = 1, []int{50}
	p.Targets[0].Dial = func(target.Endpoint) (target.Client, error) { return liar{}, nil }
	r, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, r.Measurements, 2, "none at a rate")
	require.Equal(t, 2*2*2, r.Failed(), "two modes, two callers, while warming up and afterwards")
	require.Contains(t, r.Measurements[0].Failure, "wrong answer")
	_, ok := r.Ratio(r.Cells()[0], "pool", report.P50)
	require.False(t, ok)
}

func TestAnInterruptEndsTheRun(t *testing.T) {
	p := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestSettingsOfTheRuntimeBecomeVariables(t *testing.T) {
	require.Empty(t, Plan{}.environment())
	p := Plan{Settings: report.Settings{GOGC: "1600", GODEBUG: "gcshrinkstackoff=1"}}
	require.Equal(t, []string{"GOGC=1600", "GODEBUG=gcshrinkstackoff=1"}, p.environment())
}
