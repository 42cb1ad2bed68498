package figures

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// Nothing stands where there is no figure.
const Nothing = "-"

// Cell writes a figure, or nothing.
func Cell(v float64, ok bool, format func(float64) string) string {
	if !ok {
		return Nothing
	}
	return format(v)
}

// A Column is a title and what stands under it in the row of an R.
type Column[R any] struct {
	Title string
	Cell  func(R) any
}

// Pick is a column of a number of a spread.
func Pick[R any](title string, of func(R) (Spread, bool), pick func(Spread) float64, format func(float64) string) Column[R] {
	return Column[R]{title, func(row R) any {
		s, ok := of(row)
		return Cell(pick(s), ok, format)
	}}
}

// Ratios are three columns: the median, the smallest and the largest.
func Ratios[R any](titles [3]string, of func(R) (Spread, bool)) []Column[R] {
	return []Column[R]{
		Pick(titles[0], of, Median, Decimal), Pick(titles[1], of, Least, Decimal), Pick(titles[2], of, Most, Decimal),
	}
}

// Table returns a table with the columns, and a row for each of the rows.
func Table[R any](rows []R, columns []Column[R]) table.Writer {
	var head table.Row
	for _, c := range columns {
		head = append(head, c.Title)
	}
	t := NewTable(head...)
	for _, row := range rows {
		var cells table.Row
		for _, c := range columns {
			cells = append(cells, c.Cell(row))
		}
		t.AppendRow(cells)
	}
	return t
}

// NewTable returns a table without rows.
func NewTable(head ...any) table.Writer {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Markdown.PadContent = true
	t.SetStyle(style)
	t.AppendHeader(head)
	return t
}

// A Page is Markdown that also reads well in a terminal.
type Page struct{ strings.Builder }

// Printf appends to the page.
func (p *Page) Printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

// Head begins a report: its title, where it was measured, and of which code.
func (p *Page) Head(title string, m Machine, procs string) {
	p.Printf("# %s\n\n", title)
	p.Printf("- %s %s/%s on %s, %d processors, GOMAXPROCS %s\n", m.Go, m.OS, m.Arch, m.CPU, m.CPUs, procs)
	p.Printf("- %s, made by `%s` on %s\n", m.at(), m.Command, m.Date.Format(time.RFC3339))
}

// Section writes a table under a heading and a text.
func (p *Page) Section(title, what string, t table.Writer) {
	p.Printf("## %s\n\n%s\n\n%s\n\n", title, what, t.RenderMarkdown())
}

// List writes lines under a heading, or what is said if there are none.
func (p *Page) List(title, none string, lines []string) {
	if len(lines) == 0 {
		lines = []string{none}
	}
	p.Printf("## %s\n\n%s\n\n", title, strings.Join(lines, "\n"))
}

// Block writes a table and where it is from, between the marks that internal/tools/figures looks
// for, unless the table is empty.
func (p *Page) Block(name string, t table.Writer, origins ...string) {
	if t.Length() == 0 {
		return
	}
	p.Printf("<!-- figures: %s -->\n%s\n", name, t.RenderMarkdown())
	for _, origin := range origins {
		p.Printf("\n%s", line.ReplaceAllString(origin, "$1\n"))
	}
	p.Printf("<!-- end of figures -->\n\n")
}

// line is as many words as a line has room for. A longer word has a line of its own.
var line = regexp.MustCompile(`(.{1,110})( |$)`)
