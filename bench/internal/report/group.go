package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/load"
)

// groups returns the loads group by group, in the order of the report.
func (r *Report) groups() [][]load.Load {
	var groups [][]load.Load
	for i, l := range r.Loads {
		if i == 0 || l.Group != r.Loads[i-1].Group {
			groups = append(groups, nil)
		}
		last := &groups[len(groups)-1]
		*last = append(*last, l)
	}
	return groups
}

// section writes a table for each group of loads, with a row for each load that
// has one.
func (r *Report) section(b *strings.Builder, title, text string, head []any, row func(load.Load) table.Row) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n", title, text)
	for _, loads := range r.groups() {
		t := newTable(head...)
		for _, l := range loads {
			if cells := row(l); cells != nil {
				t.AppendRow(cells)
			}
		}
		if t.Length() == 0 {
			continue
		}
		if name := string(loads[0].Group); name != "" {
			fmt.Fprintf(b, "### %s\n\n", strings.ToUpper(name[:1])+name[1:])
		}
		fmt.Fprintf(b, "%s\n\n", t.RenderMarkdown())
	}
}

// heads returns the head of a table with a column for each runner.
func (r *Report) heads() []any {
	head := []any{"load"}
	for _, c := range r.Runners {
		head = append(head, c.Name)
	}
	return slices.Clip(head)
}
