package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/figures/figurestest"
	"example.com/hemlock/bench/internal/load"
)

// sample returns a report with round numbers: the baseline does 1,000 tasks a
// second in the first round and 2,000 in the second. For the others ratios has a
// factor for each stack depth and round.
func sample(procs ...int) *Report {
	r := &Report{
		Settings: Settings{Procs: procs, Rounds: 2, Duration: time.Second, Passes: 1},
		Loads: []load.Load{
			{Name: "empty, 64 callers", Callers: 64, Batch: 1},
			{Name: "8 KiB, 64 callers", Callers: 64, Batch: 1, Stack: 8},
		},
	}
	ratios := map[string][2][2]float64{
		"go":      {{1, 1}, {1, 1}},
		"hemlock": {{0.5, 0.7}, {2, 3}},
		"quick":   {{0.8, 0.8}, {1.5, 1.5}},
		"slow":    {{0.1, 0.1}, {0.2, 0.2}},
	}
	for _, name := range []string{"go", "hemlock", "quick", "slow"} {
		r.Runners = append(r.Runners, Runner{Name: name, Settings: "made by hand"})
		for _, p := range procs {
			r.measured(name, p, ratios[name])
		}
	}
	return r
}

func (r *Report) measured(name string, procs int, ratios [2][2]float64) {
	for i, l := range r.Loads {
		for round, ratio := range ratios[i] {
			r.Samples = append(r.Samples, Sample{
				Load: l.Name, Runner: name, Procs: procs, Round: round,
				Tasks: int(1000 * float64(round+1) * ratio * float64(procs)), Elapsed: time.Second,
			})
		}
		r.Latencies = append(r.Latencies, Latency{
			Load: l.Name, Runner: name, Procs: procs, Delays: Delays{Count: 9, P50: 100, P99: time.Microsecond},
		})
	}
}

func TestPublishedTablesAndPlotsAreThoseOfTheirFigures(t *testing.T) {
	figurestest.Published(t, "../../results", func(file string) (figures.Report, error) { return figures.Read[Report](file) })
}

func TestRunnerThatFailedOnceHasNoRatio(t *testing.T) {
	r := sample(1)
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Runner == "quick" && s.Round == 1 && s.Load == "8 KiB, 64 callers" {
			s.Failed = "stuck"
		}
	}
	_, ok := r.Ratio(1, "8 KiB, 64 callers", "quick", Rate)
	require.False(t, ok)
	best, _ := r.Best(1, "8 KiB, 64 callers", r.Peers())
	require.Equal(t, "slow", best)
	require.Contains(t, r.Tables(), `- quick at "8 KiB, 64 callers", round 2: stuck`)
}

func TestCPUTimeIsMissingWhereThePlatformDoesNotSay(t *testing.T) {
	_, ok := CPUTime(Sample{Tasks: 1})
	require.False(t, ok)
}

func TestBreakEvenLiesBetweenTheLastSlowerAndTheNextDepth(t *testing.T) {
	for want, depths := range map[string][]Depth{
		"1.0 KiB":               {{0, 0.5}, {2, 1.5}},
		"5.0 KiB":               {{0, 0.8}, {2, 1.1}, {4, 0.9}, {8, 1.3}},
		"faster at every depth": {{0, 1.1}, {2, 1.5}},
		"above 60 KiB":          {{0, 0.5}, {60, 0.99}},
		"not measured":          nil,
	} {
		require.Equal(t, want, breakEven(depths))
	}
}

func TestDepthsComeFromLoadsThatDifferInNothingElse(t *testing.T) {
	r := sample(1)
	r.Loads = append(r.Loads,
		load.Load{Name: "a", Callers: 64, Batch: 1, Stack: 30, Garbage: 1},
		load.Load{Name: "b", Callers: 512, Batch: 1, Stack: 8},
		load.Load{Name: "c", Callers: 64, Batch: 1, Stack: 4, Block: 1},
		load.Load{Name: "d", Callers: 64, Batch: 1, Stack: 4, Work: 1},
		load.Load{Name: "e", Callers: 64, Batch: 1, Stack: 4, Reader: true})
	require.Equal(t, []Depth{{0, 0.6}, {8, 2.5}}, r.Depths(1, "hemlock"))
}

// A group without figures has neither a table nor a heading.
func TestGroupWithoutFiguresIsNotShown(t *testing.T) {
	r := sample(2)
	r.Loads = append(r.Loads, load.Load{Name: "unmeasured", Group: load.Blocking})
	head, _, _ := strings.Cut(r.Tables(), "## Throughput")
	require.NotContains(t, head, "### Blocking")
	require.NotContains(t, string(r.RatioPlot(2)), "blocking")
}

func TestStartLatencyIsShownIfItWasMeasured(t *testing.T) {
	r := sample(2)
	require.Contains(t, r.Tables(), "| 100ns / 1µs |")
	r.Settings.Passes = 0
	require.NotContains(t, r.Tables(), "## Start latency")
}

func TestTablesSayWhichStacksHaveGrownBeforeTheFirstTask(t *testing.T) {
	r := sample(2)
	r.Newborns = []Newborn{{Runner: "quick", Used: 2000, Room: 1100, Grown: true}, {Runner: "slow", Failed: "stuck"}}
	require.Regexp(t, `\| quick +\| 2000; the stack has grown already +\| 1100 +\|`, r.Tables())
	require.Regexp(t, `\| slow +\| failed: stuck +\| - +\|`, r.Tables())
}

func TestTablesSayWhatTheBudgetLeftOut(t *testing.T) {
	r := sample(2)
	require.NotContains(t, r.Tables(), "Left out")
	r.Settings.Budget = time.Minute
	require.Contains(t, r.Tables(), "## Left out for want of time\n\nNothing but rounds.\n")
	require.Contains(t, r.Tables(), "fewer where 1m0s")
	r.LeftOut = []LeftOut{{Load: "8 KiB, 64 callers", Procs: 16, What: "latencies"}}
	require.Contains(t, r.Tables(), `- "8 KiB, 64 callers" at GOMAXPROCS 16: latencies`)
}

// A peer that is a hundred times slower must not make the plot unreadable, nor
// be drawn outside of it.
func TestRatioPlotKeepsWhatIsSlowOnItsAxis(t *testing.T) {
	r := sample(2)
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Runner == "slow" {
			s.Tasks = 1
		}
	}
	b := r.bars(2)
	require.Len(t, b.others, 2)
	for _, dot := range b.others {
		require.Equal(t, leastRatio, dot.X)
	}
	var labels []string
	for _, tick := range ratioTicks(leastRatio, 3) {
		labels = append(labels, tick.Label)
	}
	require.Equal(t, []string{"1/16", "1/8", "1/4", "1/2", "1", "2"}, labels)
	require.NotEmpty(t, r.RatioPlot(2))
}

func TestTablesSayWhichPoolsDidNotShrinkInTime(t *testing.T) {
	r := sample(1)
	r.Shrinks = []Shrink{
		{Runner: "hemlock", Load: "x", Surplus: 9, Elapsed: 12_340 * time.Millisecond},
		{Runner: "slow", Load: "x", Surplus: 9, Left: 9, Elapsed: time.Minute},
		{Runner: "quick", Load: "x", Failed: "stuck"},
	}
	require.Regexp(t, `\| hemlock [^\n]*\| 12.3 s `, r.Tables())
	require.Regexp(t, `\| slow [^\n]*\| not within 60 s `, r.Tables())
	require.Regexp(t, `\| quick [^\n]*\| failed: stuck `, r.Tables())
}

// Such a run has no plots, and no tables for other documents, with one number a cell.
func TestTablesNameTheProcessorsOfARunAtSeveral(t *testing.T) {
	r := sample(1, 4)
	text := r.Tables()
	require.Regexp(t, `## Who is ahead, GOMAXPROCS 1\n[^#]*\| empty, 64 callers \| 2 k `, text)
	require.Regexp(t, `## Who is ahead, GOMAXPROCS 4\n[^#]*\| empty, 64 callers \| 6 k `, text)
	require.NotContains(t, text, "figures: ")
	require.Empty(t, r.Plots())
}

func TestTablesForOtherDocumentsAreOfLoadsThatExist(t *testing.T) {
	all := load.All()
	for _, a := range abridged {
		for _, l := range a.loads {
			require.True(t, slices.ContainsFunc(all, func(a load.Load) bool { return a.Name == l.load }), l.load)
		}
	}
	require.True(t, slices.ContainsFunc(all, func(l load.Load) bool { return strings.HasPrefix(l.Name, burst) }))
}

func TestNumbersHaveThreeDigitsOrSo(t *testing.T) {
	require.Equal(t, "12.3 M", count(12_345_678))
	require.Equal(t, "1.23 M", count(1_234_567))
	require.Equal(t, "123 k", count(123_456))
}
