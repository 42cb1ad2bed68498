package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/profile"
	"example.com/hemlock/internal/figures"
)

// nothing stands where there is no figure.
const nothing = "-"

// WriteTables writes the report as Markdown that also reads well in a terminal.
func (r *Report) WriteTables(w io.Writer) error {
	var b strings.Builder
	r.writeHead(&b)
	r.writeBlocks(&b)
	r.writeRatios(&b)
	r.writeLoaded(&b)
	r.writeCosts(&b)
	r.writeShares(&b)
	r.writeFailures(&b)
	r.writeModules(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) writeHead(b *strings.Builder) {
	m, s := r.Machine, r.Settings
	fmt.Fprintf(b, "# Servers\n\n")
	fmt.Fprintf(b, "- %s %s/%s on %s, %d processors, GOMAXPROCS %d; callers and server share them\n",
		m.Go, m.OS, m.Arch, m.CPU, m.CPUs, m.Procs)
	fmt.Fprintf(b, "- %s, made by `%s` on %s\n", m.At(), m.Command, m.Date.Format(time.RFC3339))
	fmt.Fprintf(b, "- %d rounds of %v after %v of warm-up, each at a server process of its own\n", r.Rounds, s.Duration, s.Warmup)
	if r.Cut != "" {
		fmt.Fprintf(b, "- **cut**: %s\n", r.Cut)
	}
	fmt.Fprintf(b, "- a call makes %d bytes of garbage; at most %d connections where callers share them; GOGC=%s GODEBUG=%s\n\n",
		s.Garbage, s.Connections, cmp.Or(s.GOGC, "default"), cmp.Or(s.GODEBUG, "default"))
}

// A column is a title and what stands under it.
type column struct {
	title string
	text  func(cell Cell, name string) string
}

// median is a column of the medians of a figure.
func (r *Report) median(title string, figure Figure, format func(float64) string) column {
	return r.column(title, format, func(cell Cell, name string) (float64, bool) {
		s, ok := r.Absolute(cell, name, figure)
		return s.Median, ok
	})
}

// most is a column of what a figure was in the worst round.
func (r *Report) most(title string, figure Figure, format func(float64) string) column {
	return r.column(title, format, func(cell Cell, name string) (float64, bool) {
		s, ok := r.Absolute(cell, name, figure)
		return s.Max, ok
	})
}

func (r *Report) column(title string, format func(float64) string, value func(Cell, string) (float64, bool)) column {
	return column{title, func(cell Cell, name string) string {
		v, ok := value(cell, name)
		if !ok {
			return nothing
		}
		return format(v)
	}}
}

// withRatio is a column of medians and one of the ratios to the baseline.
func (r *Report) withRatio(title string, figure Figure, format func(float64) string) []column {
	return []column{r.median(title, figure, format), {"ratio", func(cell Cell, name string) string {
		s, ok := r.Ratio(cell, name, figure)
		if !ok || name == mode.Baseline {
			return nothing
		}
		return fmt.Sprintf("%.2f (%.2f..%.2f)", s.Median, s.Min, s.Max)
	}}}
}

// ratios are three columns: the ratio to the baseline, its smallest and its
// largest.
func (r *Report) ratios(title string, figure Figure) []column {
	of := func(title string, pick func(figures.Spread) float64) column {
		return r.column(title, figures.Decimal, func(cell Cell, name string) (float64, bool) {
			s, ok := r.Ratio(cell, name, figure)
			return pick(s), ok && name != mode.Baseline
		})
	}
	return []column{
		of(title, func(s figures.Spread) float64 { return s.Median }),
		of("least", func(s figures.Spread) float64 { return s.Min }),
		of("most", func(s figures.Spread) float64 { return s.Max }),
	}
}

// writeRatios writes the table of the ratios without a load.
func (r *Report) writeRatios(b *strings.Builder) {
	free := slices.DeleteFunc(r.Cells(), func(c Cell) bool { return c.Load > 0 })
	section(b, "Who is ahead", "Each ratio is to `"+mode.Baseline+"` in the same round: the median of the rounds, the smallest and the "+
		"largest. The figures before them are medians.", r.table(free, slices.Concat(
		r.withRatio("calls/s", Rate, figures.Whole),
		r.withRatio("p50", P50, figures.Nanoseconds),
		r.withRatio("p99", P99, figures.Nanoseconds),
		r.withRatio("CPU/call", CPU, figures.Nanoseconds),
	)))
}

// writeLoaded writes the tables of the fixed rates.
func (r *Report) writeLoaded(b *strings.Builder) {
	cells := r.loaded()
	if len(cells) == 0 {
		return
	}
	section(b, "At fixed rates", "Calls are due at random times, the same for all modes of a round. The load is their rate in percent of what `"+mode.Baseline+
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
	section(b, "At fixed rates, relative to "+mode.Baseline, "Medians of the ratios in the same round, each with the smallest and the largest.",
		r.table(cells, slices.Concat(
			r.ratios("p50", P50), r.ratios("p99", P99), r.ratios("p99.9", P999), r.ratios("CPU/call", CPU),
		)))
}

// writeCosts writes the table that helps to explain the ratios.
func (r *Report) writeCosts(b *strings.Builder) {
	section(b, "What the server does meanwhile", "Medians. Goroutines, workers and memory are those at the end; the stacks include the "+
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

func (r *Report) writeShares(b *strings.Builder) {
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
	section(b, "Where the processor time went", "Shares of the samples of the servers' profiles that have such a function on their stack, medians.",
		r.table(r.Cells(), columns))
}

// table returns a row for each cell and mode.
func (r *Report) table(cells []Cell, columns []column) table.Writer {
	loads := slices.ContainsFunc(cells, func(c Cell) bool { return c.Load > 0 })
	head := table.Row{"server", "stack", "live heap", "callers"}
	if loads {
		head = append(head, "load")
	}
	head = append(head, "mode")
	for _, c := range columns {
		head = append(head, c.title)
	}
	t := newTable(head)
	for _, cell := range cells {
		for _, name := range r.Modes(cell) {
			row := table.Row{cell.Target, fmt.Sprintf("%d KiB", cell.Stack), fmt.Sprintf("%d MiB", cell.Ballast), cell.Callers}
			if loads {
				row = append(row, cell.load())
			}
			row = append(row, name)
			for _, c := range columns {
				row = append(row, c.text(cell, name))
			}
			t.AppendRow(row)
		}
	}
	return t
}

func (r *Report) writeFailures(b *strings.Builder) {
	var lines []string
	for _, m := range r.Measurements {
		if m.Failed > 0 {
			lines = append(lines, fmt.Sprintf("- %v, %s, round %d: %d calls failed, one with: %s",
				m.Cell, m.Mode, m.Round+1, m.Failed, m.Failure))
		}
	}
	if len(lines) == 0 {
		lines = []string{"None: every call had the right answer."}
	}
	fmt.Fprintf(b, "## Failures\n\n%s\n\n", strings.Join(lines, "\n"))
}

func (r *Report) writeModules(b *strings.Builder) {
	t := newTable(table.Row{"module", "version"})
	for _, m := range r.Modules {
		t.AppendRow(table.Row{m.Path, m.Version})
	}
	section(b, "Libraries", "What the servers are made with.", t)
}

func newTable(head table.Row) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Markdown.PadContent = true
	t.SetStyle(style)
	t.AppendHeader(head)
	return t
}

func section(b *strings.Builder, title, text string, t table.Writer) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n%s\n\n", title, text, t.RenderMarkdown())
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
