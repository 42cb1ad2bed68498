package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/runner"
)

// nothing stands where there is no figure.
const nothing = "-"

// WriteTables writes the whole report as Markdown that also reads well in a
// terminal.
func (r *Report) WriteTables(w io.Writer) error {
	var b strings.Builder
	r.writeHead(&b)
	for _, procs := range r.Settings.Procs {
		r.writeSummary(&b, procs)
		r.writeMatrix(&b, procs, "Throughput", Rate)
		r.writeMatrix(&b, procs, "Processor time per task", CPUTime)
		r.writeBreakEven(&b, procs)
	}
	if r.Settings.Scaling {
		r.writeScaling(&b)
	}
	for _, procs := range r.Settings.Procs {
		for _, l := range r.Loads {
			r.writeLoad(&b, procs, l.Name)
		}
	}
	r.writeShrinks(&b)
	r.writeFailures(&b)
	r.writeRunners(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// caption is the line that every file carries.
func (r *Report) caption() string {
	m := r.Machine
	return fmt.Sprintf("%s %s/%s, %s, %d processors, %s, %s",
		m.Go, m.OS, m.Arch, m.CPU, m.CPUs, m.Date.Format(time.DateOnly), m.Command)
}

func (r *Report) writeHead(b *strings.Builder) {
	m, s := r.Machine, r.Settings
	fmt.Fprintf(b, "# Comparison\n\n")
	fmt.Fprintf(b, "- %s %s/%s on %s, %d processors, GOMAXPROCS %s\n",
		m.Go, m.OS, m.Arch, m.CPU, m.CPUs, strings.Trim(fmt.Sprint(s.Procs), "[]"))
	fmt.Fprintf(b, "- made by `%s` on %s\n", m.Command, m.Date.Format(time.RFC3339))
	fmt.Fprintf(b, "- %d rounds of %v after %v of warm-up, each at a fresh pool, in a new order each round\n",
		s.Rounds, s.Duration, s.Warmup)
	fmt.Fprintf(b, "- latencies: medians of %d passes of up to %d tasks; one reading of the clock, %v here, is in each\n\n",
		s.Passes, s.Latencies, m.Clock)
}

// writeSummary writes the table that answers who is ahead.
func (r *Report) writeSummary(b *strings.Builder, procs int) {
	t := newTable("load", "go, tasks/s", "hemlock", "min", "max", "rounds", "best peer", "which", "fastest")
	for _, l := range r.Loads {
		base, ok := r.Absolute(procs, l.Name, runner.Baseline, Rate)
		if !ok {
			continue
		}
		own, ok := r.Ratio(procs, l.Name, runner.Subject, Rate)
		best, peer := r.Best(procs, l.Name, r.Peers())
		t.AppendRow(table.Row{
			l.Name, count(base.Median),
			ratio(own.Median, ok), ratio(own.Min, ok), ratio(own.Max, ok), base.N,
			ratio(peer.Median, best != ""), best, r.fastest(procs, l.Name),
		})
	}
	section(b, "Who is ahead"+r.at(procs),
		"Tasks per second relative to a bare `go` statement in the same round: medians, and the smallest and the largest.", t)
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
	head := []any{"load"}
	for _, c := range r.Runners {
		head = append(head, c.Name)
	}
	t := newTable(head...)
	for _, l := range r.Loads {
		row := table.Row{l.Name}
		for _, c := range r.Runners {
			s, ok := r.Ratio(procs, l.Name, c.Name, figure)
			row = append(row, ratio(s.Median, ok))
		}
		t.AppendRow(row)
	}
	section(b, title+r.at(procs), "Relative to a bare `go` statement, medians.", t)
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
	figures := []struct {
		of     Figure
		format func(float64) string
	}{{Rate, count}, {CPUTime, nanoseconds}}
	for _, figure := range figures {
		absolute, some := r.Absolute(procs, load, name, figure.of)
		s, ok := r.Ratio(procs, load, name, figure.of)
		cells = append(cells, orNothing(figure.format(absolute.Median), some && ok),
			ratio(s.Median, ok), ratio(s.Min, ok), ratio(s.Max, ok))
	}
	return cells
}

func (r *Report) latencies(procs int, load, name string) []any {
	var cells []any
	for _, of := range []func(Latency) time.Duration{P50, P99, P999} {
		d, ok := r.Percentile(procs, load, name, of)
		cells = append(cells, orNothing(nanoseconds(float64(d)), ok))
	}
	return cells
}

func (r *Report) remains(procs int, load, name string) []any {
	var cells []any
	figures := []struct {
		of     Figure
		format func(float64) string
	}{
		{Mallocs, decimal},
		{Bytes, whole},
		{StacksAtOnce, kibibytes},
		{Stacks, kibibytes},
		{Goroutines, whole},
		{Leftover, whole},
	}
	for _, figure := range figures {
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
			s.Runner, s.Minimum, s.Surplus, kibibytes(float64(s.Stacks)),
			s.backAfter(), s.Left, kibibytes(float64(s.StacksEnd)),
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

// writeFailures lists who could not do what.
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

func (r *Report) writeRunners(b *strings.Builder) {
	t := newTable("runner", "module", "version", "made by")
	for _, c := range r.Runners {
		t.AppendRow(table.Row{c.Name, cmp.Or(c.Module, nothing), cmp.Or(c.Version, nothing), c.Settings})
	}
	section(b, "Runners", "How each is made.", t)
}

// at names the number of processors where there is more than one to tell apart.
func (r *Report) at(procs int) string {
	if !r.Settings.Scaling {
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
