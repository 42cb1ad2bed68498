package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/servers/internal/drive"
	"example.com/hemlock/bench/servers/internal/process"
)

var cell = Cell{Target: "dns", Stack: 8, Callers: 64}

// measured returns a second of calls, each of which took the given time and the given
// processor time.
func measured(mode string, round, calls int, took, cpu time.Duration) Measurement {
	return Measurement{
		Cell: cell, Mode: mode, Round: round,
		Result: drive.Result{Calls: calls, Elapsed: time.Second, P50: took, P99: 2 * took},
		Before: process.Counts{CPU: time.Hour},
		After:  process.Counts{CPU: time.Hour + time.Duration(calls)*cpu},
	}
}

// A round in which the baseline answered no call has none.
func TestRatiosAreToTheBaselineOfTheSameRound(t *testing.T) {
	r := &Report{Measurements: []Measurement{
		measured("go", 0, 100, time.Millisecond, time.Microsecond),
		measured("pool", 0, 200, 2*time.Millisecond, time.Microsecond),
		measured("pool", 1, 300, time.Millisecond, 3*time.Microsecond),
		measured("go", 1, 1000, time.Millisecond, 2*time.Microsecond),
		measured("go", 2, 10, time.Millisecond, 4*time.Microsecond),
		measured("pool", 2, 12, time.Millisecond, time.Microsecond),
		measured("go", 3, 0, 0, 0),
		measured("pool", 3, 900, time.Millisecond, time.Microsecond),
	}}
	rate, ok := r.Ratio(cell, "pool", Rate)
	require.True(t, ok)
	require.Equal(t, figures.Spread{Median: 1.2, Min: 0.3, Max: 2, N: 3}, rate, "not that of the medians")
	cpu, ok := r.Ratio(cell, "pool", CPU)
	require.True(t, ok)
	require.Equal(t, figures.Spread{Median: 1, Min: 0.25, Max: 1.5, N: 3}, cpu)
	absolute, ok := r.Absolute(cell, "pool", P99)
	require.True(t, ok)
	require.Equal(t, figures.Spread{Median: 2e6, Min: 2e6, Max: 4e6, N: 4}, absolute)
	_, ok = r.Ratio(cell, "pond", Rate)
	require.False(t, ok)
	_, ok = r.Ratio(Cell{Target: "http3"}, "pool", Rate)
	require.False(t, ok)
}

func TestFiguresAreOfTheMeasuredTimeOnly(t *testing.T) {
	m := measured("pool", 0, 50, time.Millisecond, time.Microsecond)
	m.Elapsed, m.P999, m.Max, m.Late, m.Load, m.Offered, m.Failed = 2*time.Second, 29, 30, 7, 80, 26, 8
	m.Before = process.Counts{
		CPU: time.Second, Collections: 100, Created: 1000, MutexWait: time.Second,
		Pool: json.RawMessage(`{"workers": 1, "spawned": 7}`),
	}
	m.After = process.Counts{
		CPU: 2 * time.Second, Collections: 107, Created: 1100, MutexWait: 2 * time.Second, Goroutines: 9, Stacks: 10, StartStack: 11, Heap: 12,
		Pool: json.RawMessage(`{"workers": 3, "peak_workers": 5, "spawned": 9, "other": 1}`),
	}
	for name, test := range map[string]struct {
		figure Figure
		want   float64
	}{
		"rate":        {Rate, 25},
		"longest":     {Longest, 30},
		"p99.9":       {P999, 29},
		"late":        {Late, 7},
		"due":         {Offered, 26},
		"errors":      {Errors, 8},
		"CPU":         {CPU, 20e6},
		"collections": {Collections, 3.5},
		"created":     {Created, 2},
		"waits":       {MutexWait, 20e6},
		"goroutines":  {Goroutines, 9},
		"stacks":      {Stacks, 10},
		"first stack": {StartStack, 11},
		"heap":        {Heap, 12},
		"workers":     {Workers, 3},
		"peak":        {PeakWorkers, 5},
		"spawned":     {Spawned, 1},
	} {
		got, ok := test.figure(m)
		require.True(t, ok, name)
		require.InDelta(t, test.want, got, 1e-9, name)
	}
}

func TestWhatWasNotMeasuredIsNoFigure(t *testing.T) {
	for name, figure := range map[string]Figure{
		"rate": Rate, "CPU": CPU, "p50": P50, "p99": P99, "created": Created, "workers": Workers, "spawned": Spawned, "share": Share("newstack"),
	} {
		_, ok := figure(Measurement{})
		require.False(t, ok, name)
	}
}

// sample is a report with everything in it.
func sample() *Report {
	pool := measured("pool", 0, 200, time.Millisecond, time.Microsecond)
	pool.Shares = map[string]float64{"newstack": 0.125}
	pool.Failed, pool.Failure = 3, "wrong answer"
	return &Report{
		Settings: Settings{Rounds: 5, Duration: time.Second, Warmup: time.Millisecond, GODEBUG: "gcshrinkstackoff=1"},
		Rounds:   1, Cut: "rounds: 1 instead of 5",
		Modules:      []Module{{Path: "github.com/miekg/dns", Version: "v1.1.73"}},
		Measurements: []Measurement{measured("go", 0, 100, time.Millisecond, time.Microsecond), pool},
	}
}

// cellsOf returns the cells of the first row after the heading that has the text,
// without blanks.
func cellsOf(t *testing.T, markdown, heading, text string) []string {
	t.Helper()
	_, after, ok := strings.Cut(markdown, "## "+heading)
	require.True(t, ok, heading)
	for line := range strings.Lines(after) {
		if strings.Contains(line, "| "+text+" ") {
			return strings.Split(strings.Join(strings.Fields(line), ""), "|")
		}
	}
	t.Fatalf("no %q under %q", text, heading)
	return nil
}

func TestTablesShowRatiosCostsSharesAndFailures(t *testing.T) {
	text := sample().Tables()
	require.Equal(t, []string{"", "dns", "8KiB", "0MiB", "64", "go", "100", "-", "1ms", "-", "2ms", "-", "1µs", "-", ""},
		cellsOf(t, text, "Who is ahead", "go"))
	require.Equal(t, []string{
		"", "dns", "8KiB", "0MiB", "64", "pool", "200", "2.00(2.00..2.00)", "1ms", "1.00(1.00..1.00)",
		"2ms", "1.00(1.00..1.00)", "1µs", "1.00(1.00..1.00)", "",
	}, cellsOf(t, text, "Who is ahead", "pool"))
	require.Contains(t, cellsOf(t, text, "Where the processor time went", "pool"), "12.5%")
	require.Contains(t, text, "3 calls failed, one with: wrong answer")
	require.Contains(t, text, "**cut**: rounds: 1 instead of 5")
	require.Contains(t, text, "GODEBUG=gcshrinkstackoff=1")
	require.Equal(t, []string{"", "github.com/miekg/dns", "v1.1.73", ""}, cellsOf(t, text, "Libraries", "github.com/miekg/dns"))
}

// block returns the table of that name for other documents, or "".
func block(r *Report, name string) string {
	_, found, _ := strings.Cut(r.Tables(), "<!-- figures: "+name+" -->")
	found, _, _ = strings.Cut(found, "<!-- end of figures -->")
	return found
}

func TestAbridgedTableHasAllServersByStack(t *testing.T) {
	r := sample()
	for _, name := range []string{"go", "do"} {
		for _, stack := range []int{8, 32} {
			m := measured(name, 0, 100, time.Millisecond, time.Microsecond)
			m.Cell = Cell{Target: "http2", Stack: stack, Callers: 64}
			r.Measurements = append(r.Measurements, m)
		}
	}
	text := block(r, "servers")
	require.Regexp(t, `\| server, call \| throughput, 8 KiB +\| 32 KiB \| processor time, 8 KiB +\| 32 KiB \|`, text)
	require.Regexp(t, `\| DNS, Run +\| 2.00 +\| - +\| 1.00 +\| - +\|`, text)
	require.Regexp(t, `\| HTTP/2, Do +\| 1.00 +\| 1.00 +\| 1.00 +\| 1.00 +\|`, text)
	require.Contains(t, text, "commit not recorded")
}

func TestAbridgedTableOfGRPCHasItsModesByStackAndCallers(t *testing.T) {
	r := sample()
	for _, name := range []string{"go", "workers128", "do"} {
		m := measured(name, 0, 100, time.Millisecond, time.Microsecond)
		m.Cell = Cell{Target: "grpc-stream", Stack: 8, Callers: 512}
		r.Measurements = append(r.Measurements, m)
	}
	text := block(r, "grpc")
	require.Regexp(t, `\| call +\| KiB \| callers \| processor time, workers \| workers128 \| do +\| do\+workers \| throughput, workers \|`, text)
	require.Regexp(t, `\| gRPC-stream \| +8 \| +512 \| - +\| 1.00 +\| 1.00 \| - +\| - +\| 1.00 +\| 1.00 \| - +\|`, text)
	require.NotContains(t, text, "DNS")
	require.Empty(t, block(sample(), "grpc"))
}

func TestAbridgedTableHasWhatIsMeasuredWith64CallersAlone(t *testing.T) {
	for _, change := range []Cell{{Callers: 256}, {Callers: 64, Load: 30}, {Callers: 64, Ballast: 4}} {
		r := sample()
		for i := range r.Measurements {
			r.Measurements[i].Cell = change
		}
		require.Empty(t, block(r, "servers"), change)
	}
}

func TestWithoutProfilesThereIsNoTableOfThem(t *testing.T) {
	r := sample()
	r.Measurements = r.Measurements[:1]
	require.NotContains(t, r.Tables(), "Where the processor time went")
	require.Contains(t, r.Tables(), "every call had the right answer")
	require.Zero(t, r.Failed())
	require.Equal(t, 3, sample().Failed())
}

// loaded is a report of a cell without a load, and at two rates.
func loaded() *Report {
	r := &Report{Rounds: 2, Settings: Settings{Rates: []int{30, 80}}}
	for round := range 2 {
		for _, load := range []int{0, 30, 80} {
			for i, name := range []string{"go", "pool"} {
				m := measured(name, round, 100, time.Duration(i+1)*time.Millisecond, time.Microsecond)
				m.Load, m.Offered, m.Late = load, 10*float64(load), time.Duration(load)*time.Microsecond
				m.P999, m.Max, m.Failed = 3*time.Millisecond, time.Duration(5+2*round)*time.Millisecond, round*load
				r.Measurements = append(r.Measurements, m)
			}
		}
	}
	return r
}

func TestFixedRatesHaveTablesOfTheirOwn(t *testing.T) {
	text := loaded().Tables()
	require.Equal(t, []string{
		"", "dns", "8KiB", "0MiB", "64", "80%", "pool", "800", "100", "2ms", "4ms", "3ms", "7ms", "80", "1µs", "80µs", "",
	}, cellsOf(t, text, "At fixed rates\n", "80 % | pool"))
	require.Equal(t, []string{
		"", "dns", "8KiB", "0MiB", "64", "-", "go", "-", "100", "1ms", "2ms", "3ms", "7ms", "0", "1µs", "-", "",
	}, cellsOf(t, text, "At fixed rates\n", "-    | go"))
	require.Equal(t, []string{
		"", "dns", "8KiB", "0MiB", "64", "80%", "pool", "2.00", "2.00", "2.00", "2.00", "2.00", "2.00", "1.00", "1.00", "1.00", "1.00", "1.00", "1.00", "",
	}, cellsOf(t, text, "At fixed rates, relative to go", "80 % | pool"))
	ahead, _, _ := strings.Cut(text, "## At fixed rates")
	require.NotContains(t, ahead, "80 %", "those without a load are a table of their own")
	require.Contains(t, text, "- dns, 8 KiB, 0 MiB, 64 callers, load 30 %, go, round 2: 30 calls failed")

	require.NotContains(t, sample().Tables(), "fixed rates")
	require.NotContains(t, sample().Tables(), "| load")
}
