package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
)

// sample returns a report with round numbers: the baseline does 1,000 tasks a
// second in the first round and 2,000 in the second. For the others ratios has a
// factor for each stack depth and round.
func sample(procs ...int) *Report {
	r := &Report{
		Machine: figures.Machine{
			Go: "go1.26.0", OS: "linux", Arch: "amd64", CPU: "A Processor <1>", CPUs: 2, Commit: "0123456789ab", Clock: 25,
			Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Command: "go run ./bench -rounds 2",
		},
		Settings: Settings{Procs: procs, Rounds: 2, Duration: time.Second, Passes: 2, ShrinkLimit: time.Minute},
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
				CPU: time.Second, Mallocs: 2000, StacksGC: 4 << 10, Goroutines: 7,
			})
		}
		for pass := range 2 {
			r.Latencies = append(r.Latencies, Latency{
				Load: l.Name, Runner: name, Procs: procs, Pass: pass,
				Delays: Delays{Count: 9, P50: 100, P99: time.Microsecond, P999: time.Duration(pass+1) * time.Millisecond},
			})
		}
	}
}

func TestRatioWithoutABaselineInTheRoundLeavesTheRoundOut(t *testing.T) {
	r := sample(1)
	r.Samples[0].Failed = "out of luck" // go, empty, round 0
	s, ok := r.Ratio(1, "empty, 64 callers", "hemlock", Rate)
	require.True(t, ok)
	require.Equal(t, figures.Spread{Median: 0.7, Min: 0.7, Max: 0.7, N: 1}, s)
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
	cases := []struct {
		depths []Depth
		kib    float64
		ok     bool
		words  string
	}{
		{[]Depth{{0, 0.5}, {2, 1.5}}, 1, true, "1.0 KiB"},
		{[]Depth{{0, 0.8}, {2, 1.1}, {4, 0.9}, {8, 1.3}}, 5, true, "5.0 KiB"},
		{[]Depth{{0, 1.1}, {2, 1.5}}, 0, true, "faster at every depth"},
		{[]Depth{{0, 0.5}, {60, 0.99}}, 0, false, "above 60 KiB"},
		{nil, 0, false, "not measured"},
	}
	for _, c := range cases {
		kib, ok := BreakEven(c.depths)
		require.Equal(t, c.ok, ok, c.words)
		require.InDelta(t, c.kib, kib, 1e-9, c.words)
		require.Equal(t, c.words, breakEven(c.depths))
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

// grouped is the sample with its loads in two groups.
func grouped() *Report {
	r := sample(2)
	r.Loads[0].Group, r.Loads[1].Group = load.Waiting, load.Working
	return r
}

func TestTablesAndPlotNameTheGroups(t *testing.T) {
	r := grouped()
	text := r.Tables()
	for _, section := range []string{"Who is ahead", "Throughput", "Processor time per task", "Start latency"} {
		require.Regexp(t, "\n## "+section+"\n[^#]*### Callers that wait\n[^#]*\n\\| empty, 64 [^#]*### Work\n[^#]*\n\\| 8 KiB, 64 ", text)
	}
	found := texts(t, r.RatioPlot(2))
	require.Regexp(t, `(?s)8 KiB.*empty.*`, found)
	require.Contains(t, found, "callers that wait")
	require.Contains(t, found, "\nwork\n")
}

// A group without figures has neither a table nor a heading.
func TestGroupWithoutFiguresIsNotShown(t *testing.T) {
	r := grouped()
	r.Loads = append(r.Loads, load.Load{Name: "unmeasured", Group: load.Blocking})
	head, _, _ := strings.Cut(r.Tables(), "## Throughput")
	require.NotContains(t, head, "### Blocking")
	require.NotContains(t, texts(t, r.RatioPlot(2)), "blocking")
}

func TestStartLatencyIsShownForEveryRunner(t *testing.T) {
	r := sample(2)
	r.Loads = append(r.Loads, load.Load{Name: "never waits", Batch: load.Never})
	text := r.Tables()
	cells := row(t, text, "Start latency", "8 KiB, 64 callers")
	require.Equal(t, []string{"100ns / 1µs", "100ns / 1µs", "100ns / 1µs", "100ns / 1µs"}, cells)
	require.NotRegexp(t, "\n## Start latency\n[^#]*\\| never waits", text)
	r.Settings.Passes = 0
	require.NotContains(t, r.Tables(), "## Start latency")
}

func TestTablesShowTheBytesBeforeTheFirstTask(t *testing.T) {
	r := sample(2)
	r.Newborns = []Newborn{
		{Runner: "go", Room: 1000},
		{Runner: "hemlock", Used: 180, Room: 820},
		{Runner: "quick", Used: 2000, Room: 1100, Grown: true},
		{Runner: "slow", Failed: "stuck"},
	}
	text, section := r.Tables(), "Bytes of stack before the first task"
	require.Equal(t, []string{"0", "1000"}, row(t, text, section, "go"))
	require.Equal(t, []string{"180", "820"}, row(t, text, section, "hemlock"))
	require.Equal(t, []string{"2000; the stack has grown already", "1100"}, row(t, text, section, "quick"))
	require.Equal(t, []string{"failed: stuck", "-"}, row(t, text, section, "slow"))
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

// row returns the cells of the first row of a table that begins with the name.
func row(t *testing.T, text, section, name string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n## "+section+"\n")
	require.True(t, ok, section)
	for line := range strings.Lines(rest) {
		cells := strings.Split(strings.Trim(line, "|\n "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[0] == name {
			return cells[1:]
		}
	}
	require.Fail(t, "no such row", "%s in %s", name, section)
	return nil
}

// The ratios are medians of those within a round, and the latencies of those of a pass.
// The best peer is neither the baseline nor the subject.
func TestTablesShowTheFigures(t *testing.T) {
	text := sample(2).Tables()
	require.Equal(t, []string{"3 k", "2.50", "2.00", "3.00", "2", "1.50", "quick", "hemlock"},
		row(t, text, "Who is ahead", "8 KiB, 64 callers"))
	require.Equal(t, []string{"3 k", "0.60", "0.50", "0.70", "2", "0.80", "quick", "go"},
		row(t, text, "Who is ahead", "empty, 64 callers"))
	require.Equal(t, []string{"1.00", "0.60", "0.80", "0.10"}, row(t, text, "Throughput", "empty, 64 callers"))
	require.Equal(t, []string{"1.00", "1.71", "1.25", "10.00"},
		row(t, text, "Processor time per task", "empty, 64 callers"))
	require.Equal(t, "1.7 KiB", row(t, text, "Break-even in stack depth", "hemlock")[0])
	own := row(t, text, "8 KiB, 64 callers", "hemlock")
	require.Equal(t, []string{"2.50", "2.00", "3.00"}, own[1:4])
	require.Equal(t, []string{"100ns", "1µs", "1.5ms"}, own[8:11])
	require.Contains(t, text, "Not measured in this run.")
	require.Contains(t, text, "Every runner did every load.")
}

func TestTablesSayWhichPoolsDidNotShrinkInTime(t *testing.T) {
	r := sample(1)
	r.Shrinks = []Shrink{
		{Runner: "hemlock", Load: "x", Surplus: 9, Elapsed: 12_340 * time.Millisecond},
		{Runner: "slow", Load: "x", Surplus: 9, Left: 9, Elapsed: time.Minute},
		{Runner: "quick", Load: "x", Failed: "stuck"},
	}
	text := r.Tables()
	require.Equal(t, "12.3 s", row(t, text, "Back at the minimum", "hemlock")[3])
	require.Equal(t, "not within 60 s", row(t, text, "Back at the minimum", "slow")[3])
	require.Equal(t, "failed: stuck", row(t, text, "Back at the minimum", "quick")[3])
}

func TestTablesNameTheProcessorsOfARunAtSeveral(t *testing.T) {
	text := sample(1, 4).Tables()
	require.Equal(t, "2 k", row(t, text, "Who is ahead, GOMAXPROCS 1", "empty, 64 callers")[0])
	require.Equal(t, "6 k", row(t, text, "Who is ahead, GOMAXPROCS 4", "empty, 64 callers")[0])
}

// plotted returns the names of the plots.
func plotted(r *Report) (names []string) {
	for _, p := range r.Plots() {
		names = append(names, p.Name)
	}
	return names
}

func TestPlotsAreThoseThatDocumentsShow(t *testing.T) {
	require.Equal(t, []string{"ratio.svg", "depth.svg", "depth-dark.svg", "latency.svg"}, plotted(sample(2)))
	require.Empty(t, plotted(sample(4, 16)), "of one number of processors")
	alone := sample(2)
	alone.Runners = alone.Runners[:2]
	require.Empty(t, plotted(alone), "with peers")
	unmeasured := &Report{Settings: Settings{Procs: []int{2}}, Runners: sample(2).Runners}
	require.Empty(t, plotted(unmeasured), "of what was measured")
}

func TestEveryFileNamesCommitMachineAndDate(t *testing.T) {
	tables := sample(2).Tables()
	require.Contains(t, tables, "go run ./bench -rounds 2")
	for _, file := range append(sample(2).Plots(), figures.File{Name: "tables", Data: []byte(tables)}) {
		for _, fact := range []string{"0123456789ab", "go1.26.0", "A Processor", "2026-01-02"} {
			require.Contains(t, string(file.Data), fact, file.Name)
		}
	}
}

// texts returns the texts of an SVG, which must be well formed.
func texts(t *testing.T, svg []byte) string {
	t.Helper()
	var found []string
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(found, "\n")
		}
		require.NoError(t, err)
		if text, ok := token.(xml.CharData); ok {
			found = append(found, strings.TrimSpace(string(text)))
		}
	}
}

func TestPlotsNameWhatTheyShow(t *testing.T) {
	r := sample(2)
	for _, c := range []struct {
		draw func(int) []byte
		want []string
	}{
		{r.RatioPlot, []string{"empty, 64 callers", "8 KiB, 64 callers", "best peer", "quick 1.50", "the other peers"}},
		{r.DepthPlot, []string{"hemlock breaks even with go at 1.7 KiB", "slow", "8"}},
		{r.LatencyPlot, []string{"hemlock", "p99.9", "1ms"}},
	} {
		svg := c.draw(2)
		found := texts(t, svg)
		for _, want := range c.want {
			require.Contains(t, found, want)
		}
		require.Contains(t, string(svg), "Arial")
	}
}

// A colour that is nearly the background's cannot be seen.
func TestDarkPlotHasNoColourOfTheLightOne(t *testing.T) {
	plots := sample(2).Plots()
	light, svg := plots[1].Data, plots[2].Data
	require.Equal(t, texts(t, light), texts(t, svg))
	for _, colour := range []string{"#FFFFFF", "#202020", "#DDDDDD", "#005AB5"} {
		require.Contains(t, string(light), colour)
		require.NotContains(t, string(svg), colour)
	}
	require.Regexp(t, `(?s)<svg [^>]*fill="#E6EDF3"`, string(svg), "for texts without a colour")
}

// The tables for other documents are of loads that exist, and have one number a cell.
func TestAbridgedTables(t *testing.T) {
	all := load.All()
	for _, a := range abridged {
		for _, l := range a.loads {
			require.True(t, slices.ContainsFunc(all, func(a load.Load) bool { return a.Name == l.load }), l.load)
		}
	}
	require.True(t, slices.ContainsFunc(all, func(l load.Load) bool { return strings.HasPrefix(l.Name, burst) }))
	r := watched()
	r.Loads = append(r.Loads, load.Load{Name: burst + " in the task", Bystander: load.Inside})
	text := r.Tables()
	require.Regexp(t, `figures: callers -->[^!]*\| 8 KiB of stack +\| 2.50 +\| 1.50, quick +\|[^!]*commit 0123456789ab, go1.26.0 linux/amd64`, text)
	require.Regexp(t, `figures: neighbours -->[^!]*\| token +\| 11.0 +\| 22.0 +\| 33.0 +\| 44.0 +\|`, text)
	require.NotRegexp(t, `figures: neighbours -->[^!]*in the task`, text)
	require.Regexp(t, `figures: rates -->[^!]*\| nanosleep +\| 2.00 +\| - +\| - +\| 2.00 +\|`, text)
	require.NotRegexp(t, `figures: rates -->[^!]*\| alone`, text, "its first rate was not measured")
	require.NotContains(t, sample(2).Tables(), "figures: neighbours")
	require.NotContains(t, sample(2).Tables(), "figures: rates")
	require.NotContains(t, sample(2, 4).Tables(), "figures: ", "one number a cell")
}

// watched is the sample with loads that measure delays: as many milliseconds as the
// number of the runner, times ten in the second round.
func watched() *Report {
	r := sample(2)
	r.Loads = append(r.Loads,
		load.Load{Name: "4,000 x 50 us from 1: token", Group: load.Beside, Bystander: load.Token},
		load.Load{Name: "4,000 x 50 us from P: token", Group: load.Beside, Bystander: load.Token},
		load.Load{Name: "nanosleep, 30 %", Group: load.FixedRate, Rate: 30, Batch: load.Never},
		load.Load{Name: "nanosleep, 90 %", Group: load.FixedRate, Rate: 90, Batch: load.Never},
		load.Load{Name: "alone, 90 %", Group: load.FixedRate, Rate: 90, Batch: load.Never})
	r.Saturations = []Saturation{{Load: "nanosleep, 30 %", Procs: 2, PerSecond: 12_345}}
	for _, l := range r.Loads[2:] {
		for i, c := range r.Runners {
			for round, times := range []time.Duration{1, 10} {
				ms := time.Duration(i+1) * times * time.Millisecond
				s := Sample{Load: l.Name, Runner: c.Name, Procs: 2, Round: round, Tasks: 1000, Elapsed: time.Second}
				s.Delay = Delays{Count: 9, P50: ms, P99: 2 * ms, P999: 3 * ms, Max: 4 * ms}
				if l.Rate > 0 {
					s.StartDelay = Delays{Count: 9, P50: ms / 2, P99: ms, P999: ms, Max: ms}
				}
				r.Samples = append(r.Samples, s)
			}
		}
	}
	return r
}

func TestTablesShowTheDelays(t *testing.T) {
	text := watched().Tables()
	require.Contains(t, text, "`go` manages 12345 tasks a second")
	for section, want := range map[string][]string{
		"Delay, p50": {"5.5ms", "11ms", "16.5ms", "22ms"}, "Delay, p99": {"11ms", "22ms", "33ms", "44ms"},
		"Delay, p99.9": {"16.5ms", "33ms", "49.5ms", "66ms"}, "Delay, largest": {"22ms", "44ms", "66ms", "88ms"},
		"Delay to the start, p50": {"2.75ms", "5.5ms", "8.25ms", "11ms"}, "Delay, p99, ratio": {"1.00", "2.00", "3.00", "4.00"},
		"Delay to the start, largest, ratio": {"1.00", "2.00", "3.00", "4.00"},
	} {
		require.Equal(t, want, row(t, text, section, "nanosleep, 90 %"), section)
	}
	require.Equal(t, "1 k", row(t, text, "Who is ahead", "4,000 x 50 us from 1: token")[0])
	require.Equal(t, []string{"11ms", "22ms", "33ms", "44ms"}, row(t, text, "Delay, p99", "4,000 x 50 us from 1: token"))
	for _, section := range []string{"Who is ahead", "Start latency"} { // the rate is given, and the delay is no start latency
		_, rest, _ := strings.Cut(text, "\n## "+section+"\n")
		rest, _, _ = strings.Cut(rest, "\n## ")
		require.NotContains(t, rest, "nanosleep", section)
	}
	require.NotContains(t, sample(2).Tables(), "## Delay")
}

// The ratio of what is measured beside a burst says nothing.
func TestRatioPlotLeavesDelaysOut(t *testing.T) {
	require.NotContains(t, texts(t, watched().RatioPlot(2)), "token")
}

func TestNumbersHaveThreeDigitsOrSo(t *testing.T) {
	require.Equal(t, "12.3 M", count(12_345_678))
	require.Equal(t, "1.23 M", count(1_234_567))
	require.Equal(t, "123 k", count(123_456))
}
