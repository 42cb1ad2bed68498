package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/runner"
	"example.com/hemlock/internal/figures"
)

// nothing stands where there is no figure.
const nothing = "-"

// WriteTables writes the whole report as Markdown that also reads well in a
// terminal.
func (r *Report) WriteTables(w io.Writer) error {
	var b strings.Builder
	r.writeHead(&b)
	r.writeBlocks(&b)
	for _, procs := range r.Settings.Procs {
		r.writeSummary(&b, procs)
		r.writeMatrix(&b, procs, "Throughput", Rate)
		r.writeMatrix(&b, procs, "Processor time per task", CPUTime)
		r.writeStarts(&b, procs)
		r.writeDelays(&b, procs)
		r.writeBreakEven(&b, procs)
	}
	r.writeNewborns(&b)
	if r.Settings.Scaling {
		r.writeScaling(&b)
	}
	for _, procs := range r.Settings.Procs {
		for _, l := range r.Loads {
			if !l.Watched() {
				r.writeLoad(&b, procs, l.Name)
			}
		}
	}
	r.writeShrinks(&b)
	r.writeFailures(&b)
	r.writeLeftOut(&b)
	r.writeRunners(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) writeHead(b *strings.Builder) {
	m, s := r.Machine, r.Settings
	fmt.Fprintf(b, "# Comparison\n\n")
	fmt.Fprintf(b, "- %s %s/%s on %s, %d processors, GOMAXPROCS %s\n",
		m.Go, m.OS, m.Arch, m.CPU, m.CPUs, strings.Trim(fmt.Sprint(s.Procs), "[]"))
	fmt.Fprintf(b, "- %s, made by `%s` on %s\n", m.At(), m.Command, m.Date.Format(time.RFC3339))
	fmt.Fprintf(b, "- %d rounds of %v after %v of warm-up, each at a fresh pool, in a new order each round%s\n",
		s.Rounds, s.Duration, s.Warmup, r.bounded())
	fmt.Fprintf(b, "- latencies: medians of %d passes of up to %d tasks; one reading of the clock, %v here, is in each\n",
		s.Passes, s.Latencies, m.Clock)
	for _, s := range r.Saturations {
		fmt.Fprintf(b, "- `go` manages %.0f tasks a second, back to back, as of %q%s: rates are parts of that\n", s.PerSecond, s.Load, r.at(s.Procs))
	}
	fmt.Fprintf(b, "- a microsecond of work is %.0f rounds of a loop of one multiplication and one addition\n\n", m.Pace)
}

// bounded says how the budget bounds the rounds, if there is one.
func (r *Report) bounded() string {
	if r.Settings.Budget == 0 {
		return ""
	}
	return fmt.Sprintf("; fewer where %v for the whole run had no time for more", r.Settings.Budget)
}

// writeSummary writes the section that compares the subject with its best peer.
func (r *Report) writeSummary(b *strings.Builder, procs int) {
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
			return table.Row{
				l.Name, count(base.Median),
				ratio(own.Median, ok), ratio(own.Min, ok), ratio(own.Max, ok), base.N,
				ratio(peer.Median, best != ""), best, r.fastest(procs, l.Name),
			}
		})
}

// fastest names the runner with the highest median, the baseline included.
func (r *Report) fastest(procs int, load string) string {
	names := make([]string, 0, len(r.Runners))
	for _, c := range r.Runners {
		names = append(names, c.Name)
	}
	best, _ := r.Best(procs, load, names)
	return best
}

// writeMatrix writes one figure for all runners.
func (r *Report) writeMatrix(b *strings.Builder, procs int, title string, figure Figure) {
	r.section(b, title+r.at(procs), "Relative to a bare `go` statement, medians.", r.heads(),
		func(l load.Load) table.Row {
			return r.row(l, func(name string) (string, bool) {
				s, ok := r.Ratio(procs, l.Name, name, figure)
				return figures.Decimal(s.Median), ok
			})
		})
}

// row is the load's row of a table with a column for each runner, or nil if none
// has a figure.
func (r *Report) row(l load.Load, cell func(name string) (string, bool)) table.Row {
	row, some := table.Row{l.Name}, false
	for _, c := range r.Runners {
		text, ok := cell(c.Name)
		row = append(row, orNothing(text, ok))
		some = some || ok
	}
	if !some {
		return nil
	}
	return row
}

// writeStarts writes how long the tasks of all runners took to start.
func (r *Report) writeStarts(b *strings.Builder, procs int) {
	if r.Settings.Passes == 0 {
		return
	}
	r.section(b, "Start latency"+r.at(procs),
		"From before the submission to the first instruction of the task: p50 / p99, medians of the passes. "+
			"A load that never waits has none: it would say how far its submitter is ahead.", r.heads(),
		func(l load.Load) table.Row {
			if l.Watched() {
				return nil
			}
			return r.row(l, func(name string) (string, bool) {
				p50, ok := r.Percentile(procs, l.Name, name, P50)
				p99, _ := r.Percentile(procs, l.Name, name, P99)
				return figures.Nanoseconds(float64(p50)) + " / " + figures.Nanoseconds(float64(p99)), ok
			})
		})
}

func (r *Report) writeBreakEven(b *strings.Builder, procs int) {
	t := newTable("runner", "break-even")
	for _, c := range r.Runners {
		if c.Name != runner.Baseline {
			t.AppendRow(table.Row{c.Name, breakEven(r.Depths(procs, c.Name))})
		}
	}
	section(b, "Break-even in stack depth"+r.at(procs),
		fmt.Sprintf("The depth of stack from which on a runner is faster than a bare `go` statement, "+
			"with %d callers that each wait for their task; between two measured depths by interpolation.", depthCallers), t)
}

// writeNewborns writes how much of its stack a fresh worker uses and leaves.
func (r *Report) writeNewborns(b *strings.Builder) {
	if len(r.Newborns) == 0 {
		return
	}
	t := newTable("runner", "bytes of stack before the first task", "left for it")
	for _, n := range r.Newborns {
		t.AppendRow(table.Row{n.Runner, n.used(), orNothing(fmt.Sprint(n.Room), n.Failed == "")})
	}
	section(b, "Bytes of stack before the first task",
		"What a fresh worker has in use of its stack when its first task begins, beyond a bare `go` statement; and what "+
			"the task, with functions of small frames, can use before the stack is copied to a larger one.", t)
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

func (r *Report) writeScaling(b *strings.Builder) {
	head := []any{"runner"}
	for _, procs := range r.Settings.Procs {
		head = append(head, procs)
	}
	for _, l := range r.Loads {
		t := newTable(head...)
		for _, c := range r.Runners {
			row := table.Row{c.Name}
			for _, procs := range r.Settings.Procs {
				s, ok := r.Absolute(procs, l.Name, c.Name, Rate)
				row = append(row, orNothing(count(s.Median), ok))
			}
			t.AppendRow(row)
		}
		section(b, "By processors: "+l.Name, "Tasks per second by GOMAXPROCS, medians.", t)
	}
}

// writeLoad writes every figure of one load.
func (r *Report) writeLoad(b *strings.Builder, procs int, load string) {
	t := newTable("runner", "tasks/s", "ratio", "min", "max", "CPU/task", "ratio", "min", "max",
		"p50", "p99", "p99.9", "allocs", "bytes", "stacks", "after GC", "goroutines", "after close")
	for _, c := range r.Runners {
		row := table.Row{c.Name}
		row = append(row, r.rates(procs, load, c.Name)...)
		row = append(row, r.latencies(procs, load, c.Name)...)
		row = append(row, r.remains(procs, load, c.Name)...)
		t.AppendRow(row)
	}
	section(b, load+r.at(procs),
		"Allocations are per task; stacks and goroutines are what the load left behind.", t)
}

func (r *Report) rates(procs int, load, name string) []any {
	var cells []any
	columns := []struct {
		of     Figure
		format func(float64) string
	}{{Rate, count}, {CPUTime, figures.Nanoseconds}}
	for _, figure := range columns {
		absolute, some := r.Absolute(procs, load, name, figure.of)
		s, ok := r.Ratio(procs, load, name, figure.of)
		cells = append(cells, orNothing(figure.format(absolute.Median), some && ok),
			ratio(s.Median, ok), ratio(s.Min, ok), ratio(s.Max, ok))
	}
	return cells
}

func (r *Report) latencies(procs int, load, name string) []any {
	var cells []any
	for _, of := range []func(Delays) time.Duration{P50, P99, P999} {
		d, ok := r.Percentile(procs, load, name, of)
		cells = append(cells, orNothing(figures.Nanoseconds(float64(d)), ok))
	}
	return cells
}

func (r *Report) remains(procs int, load, name string) []any {
	var cells []any
	columns := []struct {
		of     Figure
		format func(float64) string
	}{
		{Mallocs, figures.Decimal},
		{Bytes, figures.Whole},
		{StacksAtOnce, figures.Kibibytes},
		{Stacks, figures.Kibibytes},
		{Goroutines, figures.Whole},
		{Leftover, figures.Whole},
	}
	for _, figure := range columns {
		s, ok := r.Absolute(procs, load, name, figure.of)
		cells = append(cells, orNothing(figure.format(s.Median), ok))
	}
	return cells
}

func (r *Report) writeShrinks(b *strings.Builder) {
	if len(r.Shrinks) == 0 {
		fmt.Fprintf(b, "## Back at the minimum\n\nNot measured in this run.\n\n")
		return
	}
	t := newTable("runner", "minimum", "surplus goroutines", "stacks", "back after", "left", "stacks then")
	for _, s := range r.Shrinks {
		t.AppendRow(table.Row{
			s.Runner, s.Minimum, s.Surplus, figures.Kibibytes(float64(s.Stacks)),
			s.backAfter(), s.Left, figures.Kibibytes(float64(s.StacksEnd)),
		})
	}
	section(b, "Back at the minimum", fmt.Sprintf("How long a pool takes to give its workers back after the load %q, "+
		"once per runner, at most %v.", r.Shrinks[0].Load, r.Settings.ShrinkLimit), t)
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
func (r *Report) writeFailures(b *strings.Builder) {
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
	if len(lines) == 0 {
		lines = []string{"Every runner did every load."}
	}
	fmt.Fprintf(b, "## Failures\n\n%s\n\n", strings.Join(lines, "\n"))
}

// writeLeftOut lists what the budget had no time for.
func (r *Report) writeLeftOut(b *strings.Builder) {
	if r.Settings.Budget == 0 {
		return
	}
	lines := []string{"Nothing but rounds."}
	if len(r.LeftOut) > 0 {
		lines = nil
	}
	for _, l := range r.LeftOut {
		lines = append(lines, fmt.Sprintf("- %q at GOMAXPROCS %d: %s", l.Load, l.Procs, l.What))
	}
	fmt.Fprintf(b, "## Left out for want of time\n\n%s\n\n", strings.Join(lines, "\n"))
}

func (r *Report) writeRunners(b *strings.Builder) {
	t := newTable("runner", "package", "version", "made by")
	for _, c := range r.Runners {
		t.AppendRow(table.Row{c.Name, cmp.Or(c.Package, nothing), cmp.Or(c.Version, nothing), c.Settings})
	}
	section(b, "Runners", "How each is made.", t)
}

// at names the number of processors, if the run was at several.
func (r *Report) at(procs int) string {
	if !r.several() {
		return ""
	}
	return fmt.Sprintf(", GOMAXPROCS %d", procs)
}

func newTable(head ...any) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Markdown.PadContent = true
	t.SetStyle(style)
	t.AppendHeader(slices.Clone(head))
	return t
}

func section(b *strings.Builder, title, text string, t table.Writer) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n%s\n\n", title, text, t.RenderMarkdown())
}
