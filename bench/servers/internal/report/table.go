package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/profile"
)

// Plots implements [figures.Report]: there are none.
func (*Report) Plots() []figures.File { return nil }

// Tables implements [figures.Report].
func (r *Report) Tables() string {
	b := new(figures.Page)
	r.writeHead(b)
	b.Block("servers", r.abridged(), r.Machine.Origin())
	b.Block("grpc", r.abridgedGRPC(), r.Machine.Origin())
	r.writeRatios(b)
	r.writeLoaded(b)
	r.writeCosts(b)
	r.writeShares(b)
	r.writeFailures(b)
	b.Section("Libraries", "What the servers are made with.", figures.Table(r.Modules, []figures.Column[Module]{
		{Title: "module", Cell: func(m Module) any { return m.Path }},
		{Title: "version", Cell: func(m Module) any { return m.Version }},
	}))
	return b.String()
}

func (r *Report) writeHead(b *figures.Page) {
	s := r.Settings
	b.Head("Servers", r.Machine, fmt.Sprintf("%d; callers and server share them", r.Machine.Procs))
	b.Printf("- %d rounds of %v after %v of warm-up, each at a server process of its own\n", r.Rounds, s.Duration, s.Warmup)
	if r.Cut != "" {
		b.Printf("- **cut**: %s\n", r.Cut)
	}
	b.Printf("- a call makes %d bytes of garbage; at most %d connections where callers share them; GOGC=%s GODEBUG=%s\n\n",
		s.Garbage, s.Connections, cmp.Or(s.GOGC, "default"), cmp.Or(s.GODEBUG, "default"))
}

// A row is a cell in one mode.
type row struct {
	Cell
	mode string
}

type column = figures.Column[row]

// median is a column of the medians of a figure.
func (r *Report) median(title string, figure Figure, format func(float64) string) column {
	return figures.Pick(title, r.absolute(figure), figures.Median, format)
}

// most is a column of what a figure was in the worst round.
func (r *Report) most(title string, figure Figure, format func(float64) string) column {
	return figures.Pick(title, r.absolute(figure), figures.Most, format)
}

func (r *Report) absolute(figure Figure) func(row) (figures.Spread, bool) {
	return func(at row) (figures.Spread, bool) { return r.Absolute(at.Cell, at.mode, figure) }
}

// relative is to the baseline, which has no ratio to itself.
func (r *Report) relative(figure Figure) func(row) (figures.Spread, bool) {
	return func(at row) (figures.Spread, bool) {
		s, ok := r.Ratio(at.Cell, at.mode, figure)
		return s, ok && at.mode != mode.Baseline
	}
}

// withRatio is a column of medians and one of the ratios to the baseline.
func (r *Report) withRatio(title string, figure Figure, format func(float64) string) []column {
	return []column{r.median(title, figure, format), {Title: "ratio", Cell: func(at row) any {
		s, ok := r.relative(figure)(at)
		return figures.Cell(s.Median, ok, func(v float64) string { return fmt.Sprintf("%.2f (%.2f..%.2f)", v, s.Min, s.Max) })
	}}}
}

// ratios are three columns: the ratio to the baseline, its smallest and its
// largest.
func (r *Report) ratios(title string, figure Figure) []column {
	return figures.Ratios([3]string{title, "least", "most"}, r.relative(figure))
}

// writeRatios writes the table of the ratios without a load.
func (r *Report) writeRatios(b *figures.Page) {
	free := slices.DeleteFunc(r.Cells(), func(c Cell) bool { return c.Load > 0 })
	b.Section("Who is ahead", "Each ratio is to `"+mode.Baseline+"` in the same round: the median of the rounds, the smallest and the "+
		"largest. The figures before them are medians.", r.table(free, slices.Concat(
		r.withRatio("calls/s", Rate, figures.Whole),
		r.withRatio("p50", P50, figures.Nanoseconds),
		r.withRatio("p99", P99, figures.Nanoseconds),
		r.withRatio("CPU/call", CPU, figures.Nanoseconds),
	)))
}

// writeLoaded writes the tables of the fixed rates.
func (r *Report) writeLoaded(b *figures.Page) {
	cells := r.loaded()
	if len(cells) == 0 {
		return
	}
	b.Section("At fixed rates", "Calls are due at random times, the same for all modes of a round. The load is their rate in percent of what `"+mode.Baseline+
		"` answered in the same round, in the row without a load, where callers wait for their answers. A call's time counts from when it was "+
		"due. Medians of the rounds; the longest time and the errors are those of the worst round. 99 % of the calls began no later than "+
		"\"late, p99\" after they were due, which is part of their time.", r.table(cells, []column{
		r.median("due/s", Offered, figures.Whole),
		r.median("answered/s", Rate, figures.Whole),
		r.median("p50", P50, figures.Nanoseconds),
		r.median("p99", P99, figures.Nanoseconds),
		r.median("p99.9", P999, figures.Nanoseconds),
		r.most("longest", Longest, figures.Nanoseconds),
		r.most("errors", Errors, figures.Whole),
		r.median("CPU/call", CPU, figures.Nanoseconds),
		r.median("late, p99", Late, figures.Nanoseconds),
	}))
	b.Section("At fixed rates, relative to "+mode.Baseline, "Medians of the ratios in the same round, each with the smallest and the largest.",
		r.table(cells, slices.Concat(
			r.ratios("p50", P50), r.ratios("p99", P99), r.ratios("p99.9", P999), r.ratios("CPU/call", CPU),
		)))
}

// writeCosts writes the table that helps to explain the ratios.
func (r *Report) writeCosts(b *figures.Page) {
	b.Section("What the server does meanwhile", "Medians. Goroutines, workers and memory are those at the end; the stacks include the "+
		"free ones that the runtime keeps.", r.table(r.Cells(), []column{
		r.median("collections/s", Collections, figures.Decimal),
		r.median("goroutines", Goroutines, figures.Whole),
		r.median("workers", Workers, figures.Whole),
		r.median("peak", PeakWorkers, figures.Whole),
		r.median("spawned/s", Spawned, figures.Whole),
		r.median("created/call", Created, figures.Decimal),
		r.median("waits for locks/call", MutexWait, figures.Nanoseconds),
		r.median("stacks", Stacks, figures.Kibibytes),
		r.median("first stack", StartStack, figures.Kibibytes),
		r.median("heap", Heap, figures.Kibibytes),
	}))
}

func (r *Report) writeShares(b *figures.Page) {
	profiled := false
	for _, m := range r.Measurements {
		profiled = profiled || m.Shares != nil
	}
	if !profiled {
		return
	}
	var columns []column
	for _, part := range profile.Parts() {
		columns = append(columns, r.median(part, Share(part), percent))
	}
	b.Section("Where the processor time went", "Shares of the samples of the servers' profiles that have such a function on their stack, medians.",
		r.table(r.Cells(), columns))
}

// table returns a row for each cell and mode.
func (r *Report) table(cells []Cell, columns []column) table.Writer {
	var rows []row
	for _, cell := range cells {
		for _, name := range r.Modes(cell) {
			rows = append(rows, row{cell, name})
		}
	}
	head := []column{
		{Title: "server", Cell: func(at row) any { return at.Target }},
		{Title: "stack", Cell: func(at row) any { return fmt.Sprintf("%d KiB", at.Stack) }},
		{Title: "live heap", Cell: func(at row) any { return fmt.Sprintf("%d MiB", at.Ballast) }},
		{Title: "callers", Cell: func(at row) any { return at.Callers }},
	}
	if slices.ContainsFunc(cells, func(c Cell) bool { return c.Load > 0 }) {
		head = append(head, column{Title: "load", Cell: func(at row) any { return at.load() }})
	}
	head = append(head, column{Title: "mode", Cell: func(at row) any { return at.mode }})
	return figures.Table(rows, append(head, columns...))
}

func (r *Report) writeFailures(b *figures.Page) {
	var lines []string
	for _, m := range r.Measurements {
		if m.Failed > 0 {
			lines = append(lines, fmt.Sprintf("- %v, %s, round %d: %d calls failed, one with: %s",
				m.Cell, m.Mode, m.Round+1, m.Failed, m.Failure))
		}
	}
	b.List("Failures", "None: every call had the right answer.", lines)
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
