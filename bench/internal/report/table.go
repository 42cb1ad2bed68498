package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/runner"
)

// Tables implements [figures.Report].
func (r *Report) Tables() string {
	b := new(figures.Page)
	r.writeHead(b)
	r.writeBlocks(b)
	for _, procs := range r.Settings.Procs {
		r.writeSummary(b, procs)
		r.writeRatios(b, procs, "Throughput", Rate)
		r.writeRatios(b, procs, "Processor time per task", CPUTime)
		r.writeStarts(b, procs)
		r.writeDelays(b, procs)
		r.writeBreakEven(b, procs)
	}
	r.writeNewborns(b)
	for _, procs := range r.Settings.Procs {
		for _, l := range r.Loads {
			if !l.Watched() {
				r.writeLoad(b, procs, l.Name)
			}
		}
	}
	r.writeShrinks(b)
	r.writeFailures(b)
	r.writeLeftOut(b)
	b.Section("Runners", "How each is made.", figures.Table(r.Runners, []figures.Column[Runner]{
		{Title: "runner", Cell: func(c Runner) any { return c.Name }},
		{Title: "package", Cell: func(c Runner) any { return cmp.Or(c.Package, figures.Nothing) }},
		{Title: "version", Cell: func(c Runner) any { return cmp.Or(c.Version, figures.Nothing) }},
		{Title: "made by", Cell: func(c Runner) any { return c.Settings }},
	}))
	return b.String()
}

func (r *Report) writeHead(b *figures.Page) {
	m, s := r.Machine, r.Settings
	b.Head("Comparison", m, strings.Trim(fmt.Sprint(s.Procs), "[]"))
	fewer := ""
	if s.Budget > 0 {
		fewer = fmt.Sprintf("; fewer where %v for the whole run had no time for more", s.Budget)
	}
	b.Printf("- %d rounds of %v after %v of warm-up, each at a fresh pool, in a new order each round%s\n",
		s.Rounds, s.Duration, s.Warmup, fewer)
	b.Printf("- latencies: medians of %d passes of up to %d tasks; one reading of the clock, %v here, is in each\n",
		s.Passes, s.Latencies, m.Clock)
	for _, s := range r.Saturations {
		b.Printf("- `go` manages %.0f tasks a second, back to back, as of %q%s: rates are parts of that\n", s.PerSecond, s.Load, r.at(s.Procs))
	}
	b.Printf("- a microsecond of work is %.0f rounds of a loop of one multiplication and one addition\n\n", m.Pace)
}

// section writes a table for each group of loads, with a row for each load that
// has one.
func (r *Report) section(b *figures.Page, title, text string, head []any, row func(load.Load) table.Row) {
	b.Printf("## %s\n\n%s\n\n", title, text)
	for first := 0; first < len(r.Loads); {
		name, t := string(r.Loads[first].Group), figures.NewTable(head...)
		for ; first < len(r.Loads) && string(r.Loads[first].Group) == name; first++ {
			if cells := row(r.Loads[first]); cells != nil {
				t.AppendRow(cells)
			}
		}
		if t.Length() == 0 {
			continue
		}
		if name != "" {
			b.Printf("### %s\n\n", strings.ToUpper(name[:1])+name[1:])
		}
		b.Printf("%s\n\n", t.RenderMarkdown())
	}
}

// matrix writes a section with a column for each runner. A load has no row if no
// runner has a figure.
func (r *Report) matrix(b *figures.Page, title, text string, cell func(l load.Load, name string) (string, bool)) {
	r.section(b, title, text, r.heads("load"), func(l load.Load) table.Row { return r.row(l.Name, l, cell) })
}

// heads returns the head of a table with a column for each runner.
func (r *Report) heads(first string) []any {
	head := []any{first}
	for _, c := range r.Runners {
		head = append(head, c.Name)
	}
	return head
}

// row returns the row of a load in such a table, or nil if no runner has a figure.
func (r *Report) row(first string, l load.Load, cell func(l load.Load, name string) (string, bool)) table.Row {
	row, some := table.Row{first}, false
	for _, c := range r.Runners {
		text, ok := cell(l, c.Name)
		if !ok {
			text = figures.Nothing
		}
		row, some = append(row, text), some || ok
	}
	if !some {
		return nil
	}
	return row
}

// writeSummary writes the section that compares the subject with its best peer.
func (r *Report) writeSummary(b *figures.Page, procs int) {
	r.section(b, "Who is ahead"+r.at(procs),
		"Tasks per second relative to a bare `go` statement in the same round: medians, and the smallest and the largest.",
		[]any{"load", "go, tasks/s", "hemlock", "min", "max", "rounds", "best peer", "which", "fastest"},
		func(l load.Load) table.Row {
			base, ok := r.Absolute(procs, l.Name, runner.Baseline, Rate)
			if !ok || l.Rate > 0 {
				return nil
			}
			own, ok := r.Ratio(procs, l.Name, runner.Subject, Rate)
			best, peer := r.Best(procs, l.Name, r.Peers())
			fastest, _ := r.Best(procs, l.Name, append([]string{runner.Baseline, runner.Subject}, r.Peers()...))
			return table.Row{
				l.Name, count(base.Median),
				ratio(own.Median, ok), ratio(own.Min, ok), ratio(own.Max, ok), base.N,
				ratio(peer.Median, best != ""), best, fastest,
			}
		})
}

// writeRatios writes one figure for all runners.
func (r *Report) writeRatios(b *figures.Page, procs int, title string, figure Figure) {
	r.matrix(b, title+r.at(procs), "Relative to a bare `go` statement, medians.", func(l load.Load, name string) (string, bool) {
		s, ok := r.Ratio(procs, l.Name, name, figure)
		return figures.Decimal(s.Median), ok
	})
}

// writeStarts writes how long the tasks of all runners took to start.
func (r *Report) writeStarts(b *figures.Page, procs int) {
	if r.Settings.Passes == 0 {
		return
	}
	r.matrix(b, "Start latency"+r.at(procs),
		"From before the submission to the first instruction of the task: p50 / p99, medians of the passes. "+
			"A load that never waits has none: it would say how far its submitter is ahead.",
		func(l load.Load, name string) (string, bool) {
			p50, ok := r.Percentile(procs, l.Name, name, P50)
			p99, _ := r.Percentile(procs, l.Name, name, P99)
			return figures.Nanoseconds(float64(p50)) + " / " + figures.Nanoseconds(float64(p99)), ok && !l.Watched()
		})
}

// writeDelays writes the delays of the loads that measure them.
func (r *Report) writeDelays(b *figures.Page, procs int) {
	if !slices.ContainsFunc(r.Loads, func(l load.Load) bool { return l.Watched() }) {
		return
	}
	for _, p := range append(slices.Clone(percentiles), percentile{name: "largest", of: Max}) {
		r.writeDelay(b, procs, "Delay, "+p.name, "Of the bystander of a burst; at a fixed rate from when a task was due to its end.", Delayed(p.of))
		r.writeDelay(b, procs, "Delay to the start, "+p.name, "From when a task was due to its first instruction.", StartDelayed(p.of))
	}
}

// writeDelay writes one figure of the delays: the time, and at fixed rates, where all
// runners have the same arrivals, the ratio.
func (r *Report) writeDelay(b *figures.Page, procs int, title, text string, figure Figure) {
	r.matrix(b, title+r.at(procs), text+" Medians of the rounds.", func(l load.Load, name string) (string, bool) {
		s, ok := r.Absolute(procs, l.Name, name, figure)
		return figures.Nanoseconds(s.Median), ok
	})
	r.matrix(b, title+", ratio"+r.at(procs), "The same relative to a bare `go` statement in the same round, medians.",
		func(l load.Load, name string) (string, bool) {
			s, ok := r.Ratio(procs, l.Name, name, figure)
			return figures.Decimal(s.Median), ok && l.Group == load.FixedRate
		})
}

func (r *Report) writeBreakEven(b *figures.Page, procs int) {
	t := figures.NewTable("runner", "break-even")
	for _, c := range r.Runners {
		if c.Name != runner.Baseline {
			t.AppendRow(table.Row{c.Name, breakEven(r.Depths(procs, c.Name))})
		}
	}
	b.Section("Break-even in stack depth"+r.at(procs),
		fmt.Sprintf("The depth of stack from which on a runner is faster than a bare `go` statement, "+
			"with %d callers that each wait for their task; between two measured depths by interpolation.", depthCallers), t)
}

// writeNewborns writes how much of its stack a fresh worker uses and leaves.
func (r *Report) writeNewborns(b *figures.Page) {
	if len(r.Newborns) == 0 {
		return
	}
	b.Section("Bytes of stack before the first task",
		"What a fresh worker has in use of its stack when its first task begins, beyond a bare `go` statement; and what "+
			"the task, with functions of small frames, can use before the stack is copied to a larger one.",
		figures.Table(r.Newborns, []figures.Column[Newborn]{
			{Title: "runner", Cell: func(n Newborn) any { return n.Runner }},
			{Title: "bytes of stack before the first task", Cell: func(n Newborn) any { return n.used() }},
			{Title: "left for it", Cell: func(n Newborn) any { return figures.Cell(float64(n.Room), n.Failed == "", figures.Whole) }},
		}))
}

func (n Newborn) used() string {
	switch {
	case n.Failed != "":
		return "failed: " + n.Failed
	case n.Grown:
		return fmt.Sprintf("%d; the stack has grown already", n.Used)
	default:
		return fmt.Sprint(n.Used)
	}
}

// writeLoad writes every figure of one load.
func (r *Report) writeLoad(b *figures.Page, procs int, load string) {
	absolute := func(title string, figure Figure, format func(float64) string) figures.Column[Runner] {
		return figures.Pick(title, func(c Runner) (figures.Spread, bool) {
			return r.Absolute(procs, load, c.Name, figure)
		}, figures.Median, format)
	}
	relative := func(title string, figure Figure, format func(float64) string) []figures.Column[Runner] {
		ratio := func(c Runner) (figures.Spread, bool) { return r.Ratio(procs, load, c.Name, figure) }
		median := figures.Pick(title, func(c Runner) (figures.Spread, bool) { // none for a runner that failed in any round
			s, some := r.Absolute(procs, load, c.Name, figure)
			_, ok := ratio(c)
			return s, some && ok
		}, figures.Median, format)
		return append([]figures.Column[Runner]{median}, figures.Ratios([3]string{"ratio", "min", "max"}, ratio)...)
	}
	columns := slices.Concat([]figures.Column[Runner]{{Title: "runner", Cell: func(c Runner) any { return c.Name }}},
		relative("tasks/s", Rate, count), relative("CPU/task", CPUTime, figures.Nanoseconds))
	for _, p := range percentiles {
		columns = append(columns, figures.Column[Runner]{Title: p.name, Cell: func(c Runner) any {
			d, ok := r.Percentile(procs, load, c.Name, p.of)
			return figures.Cell(float64(d), ok, figures.Nanoseconds)
		}})
	}
	columns = append(columns,
		absolute("allocs", Mallocs, figures.Decimal),
		absolute("bytes", Bytes, figures.Whole),
		absolute("stacks", StacksAtOnce, figures.Kibibytes),
		absolute("after GC", Stacks, figures.Kibibytes),
		absolute("goroutines", Goroutines, figures.Whole),
		absolute("after close", Leftover, figures.Whole))
	b.Section(load+r.at(procs), "Allocations are per task; stacks and goroutines are what the load left behind.", figures.Table(r.Runners, columns))
}

func (r *Report) writeShrinks(b *figures.Page) {
	if len(r.Shrinks) == 0 {
		b.List("Back at the minimum", "Not measured in this run.", nil)
		return
	}
	b.Section("Back at the minimum", fmt.Sprintf("How long a pool takes to give its workers back after the load %q, "+
		"once per runner, at most %v.", r.Shrinks[0].Load, r.Settings.ShrinkLimit), figures.Table(r.Shrinks, []figures.Column[Shrink]{
		{Title: "runner", Cell: func(s Shrink) any { return s.Runner }},
		{Title: "minimum", Cell: func(s Shrink) any { return s.Minimum }},
		{Title: "surplus goroutines", Cell: func(s Shrink) any { return s.Surplus }},
		{Title: "stacks", Cell: func(s Shrink) any { return figures.Kibibytes(float64(s.Stacks)) }},
		{Title: "back after", Cell: func(s Shrink) any { return s.backAfter() }},
		{Title: "left", Cell: func(s Shrink) any { return s.Left }},
		{Title: "stacks then", Cell: func(s Shrink) any { return figures.Kibibytes(float64(s.StacksEnd)) }},
	}))
}

func (s Shrink) backAfter() string {
	switch {
	case s.Failed != "":
		return "failed: " + s.Failed
	case s.Left > 0:
		return fmt.Sprintf("not within %.0f s", s.Elapsed.Seconds())
	default:
		return fmt.Sprintf("%.1f s", s.Elapsed.Seconds())
	}
}

// writeFailures lists the loads that a runner could not do.
func (r *Report) writeFailures(b *figures.Page) {
	var lines []string
	for _, s := range r.Samples {
		if s.Failed != "" {
			lines = append(lines, fmt.Sprintf("- %s at %q, round %d: %s", s.Runner, s.Load, s.Round+1, s.Failed))
		}
	}
	for _, l := range r.Latencies {
		if l.Failed != "" {
			lines = append(lines, fmt.Sprintf("- %s at %q, latency pass %d: %s", l.Runner, l.Load, l.Pass+1, l.Failed))
		}
	}
	b.List("Failures", "Every runner did every load.", lines)
}

// writeLeftOut lists what the budget had no time for.
func (r *Report) writeLeftOut(b *figures.Page) {
	if r.Settings.Budget == 0 {
		return
	}
	var lines []string
	for _, l := range r.LeftOut {
		lines = append(lines, fmt.Sprintf("- %q at GOMAXPROCS %d: %s", l.Load, l.Procs, l.What))
	}
	b.List("Left out for want of time", "Nothing but rounds.", lines)
}

// at names the number of processors, if the run was at several.
func (r *Report) at(procs int) string {
	if !r.several() {
		return ""
	}
	return fmt.Sprintf(", GOMAXPROCS %d", procs)
}

func ratio(v float64, ok bool) string { return figures.Cell(v, ok, figures.Decimal) }

// count writes a large number with three digits or so, in thousands.
func count(v float64) string {
	switch {
	case v >= 10e6:
		return fmt.Sprintf("%.1f M", v/1e6)
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", v/1e6)
	default:
		return fmt.Sprintf("%.0f k", v/1e3)
	}
}
