package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/profile"
)

// nothing stands where there is no figure.
const nothing = "-"

// WriteTables writes the report as Markdown that also reads well in a terminal.
func (r *Report) WriteTables(w io.Writer) error {
	var b strings.Builder
	r.writeHead(&b)
	r.writeRatios(&b)
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
	fmt.Fprintf(b, "- made by `%s` on %s\n", m.Command, m.Date.Format(time.RFC3339))
	fmt.Fprintf(b, "- %d rounds of %v after %v of warm-up, each at a server process of its own\n", r.Rounds, s.Duration, s.Warmup)
	if r.Cut != "" {
		fmt.Fprintf(b, "- **cut**: %s\n", r.Cut)
	}
	fmt.Fprintf(b, "- a call makes %d bytes of garbage; at most %d connections where callers share them; GOGC=%s GODEBUG=%s\n\n",
		s.Garbage, s.Connections, cmp.Or(s.GOGC, "default"), cmp.Or(s.GODEBUG, "default"))
}

// A column is a figure and how it is written.
type column struct {
	title  string
	figure Figure
	format func(float64) string
}

// writeRatios writes the table that answers who is ahead.
func (r *Report) writeRatios(b *strings.Builder) {
	section(b, "Who is ahead", "Each ratio is to `"+mode.Baseline+"` in the same round: the median of the rounds, the smallest and the "+
		"largest. The figures before them are medians.", r.table([]column{
		{"calls/s", Rate, whole},
		{"p50", P50, duration},
		{"p99", P99, duration},
		{"CPU/call", CPU, duration},
	}, true))
}

// writeCosts writes the table that helps to explain it.
func (r *Report) writeCosts(b *strings.Builder) {
	section(b, "What the server does meanwhile", "Medians. Goroutines, workers and memory are those at the end; the stacks include the "+
		"free ones that the runtime keeps.", r.table([]column{
		{"collections/s", Collections, decimal},
		{"goroutines", Goroutines, whole},
		{"workers", Workers, whole},
		{"peak", PeakWorkers, whole},
		{"spawned/s", Spawned, whole},
		{"created/call", Created, decimal},
		{"waits for locks/call", MutexWait, duration},
		{"stacks", Stacks, kibibytes},
		{"first stack", StartStack, kibibytes},
		{"heap", Heap, kibibytes},
	}, false))
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
		columns = append(columns, column{part, Share(part), percent})
	}
	section(b, "Where the processor time went", "Shares of the samples of the servers' profiles that have such a function on their stack, medians.",
		r.table(columns, false))
}

// table returns a row for each cell and mode, and with ratios a second column
// for each figure.
func (r *Report) table(columns []column, ratios bool) table.Writer {
	head := table.Row{"server", "stack", "live heap", "callers", "mode"}
	for _, c := range columns {
		head = append(head, c.title)
		if ratios {
			head = append(head, "ratio")
		}
	}
	t := newTable(head)
	for _, cell := range r.Cells() {
		for _, name := range r.Modes(cell) {
			row := table.Row{cell.Target, fmt.Sprintf("%d KiB", cell.Stack), fmt.Sprintf("%d MiB", cell.Ballast), cell.Callers, name}
			for _, c := range columns {
				row = append(row, r.absolute(cell, name, c))
				if ratios {
					row = append(row, r.ratio(cell, name, c))
				}
			}
			t.AppendRow(row)
		}
	}
	return t
}

func (r *Report) absolute(cell Cell, name string, c column) string {
	s, ok := r.Absolute(cell, name, c.figure)
	if !ok {
		return nothing
	}
	return c.format(s.Median)
}

func (r *Report) ratio(cell Cell, name string, c column) string {
	s, ok := r.Ratio(cell, name, c.figure)
	if !ok || name == mode.Baseline {
		return nothing
	}
	return fmt.Sprintf("%.2f (%.2f..%.2f)", s.Median, s.Min, s.Max)
}

func (r *Report) writeFailures(b *strings.Builder) {
	var lines []string
	for _, m := range r.Measurements {
		if m.Failed > 0 {
			lines = append(lines, fmt.Sprintf("- %s, %d KiB, %d MiB, %d callers, %s, round %d: %d calls failed, one with: %s",
				m.Target, m.Stack, m.Ballast, m.Callers, m.Mode, m.Round+1, m.Failed, m.Failure))
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

func decimal(v float64) string { return fmt.Sprintf("%.2f", v) }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

func kibibytes(v float64) string { return fmt.Sprintf("%.0f KiB", v/(1<<10)) }

// duration writes nanoseconds with three digits or so.
func duration(v float64) string {
	d := time.Duration(v)
	switch {
	case d < time.Microsecond:
		return d.String()
	case d < 100*time.Microsecond:
		return d.Round(100 * time.Nanosecond).String()
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(100 * time.Microsecond).String()
	}
}
