package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/servers/internal/mode"
)

// titles turns the names of servers into those of the documents.
var titles = strings.NewReplacer("http1", "HTTP/1.1", "http2", "HTTP/2", "http3", "HTTP/3", "dns", "DNS", "grpc", "gRPC")

// abridged has all servers by stack, with 64 callers and nothing else varied.
func (r *Report) abridged() table.Writer {
	calls := map[string]string{mode.Subject: "Run", mode.Through: "Do"}
	var rows []row
	var stacks []int
	for _, c := range r.Cells() {
		stacks = append(stacks, c.Stack)
		for _, name := range []string{mode.Subject, mode.Through} {
			_, some := r.Ratio(Cell{Target: c.Target, Stack: c.Stack, Callers: 64}, name, Rate)
			if at := (row{Cell{Target: c.Target, Callers: 64}, name}); some && !slices.Contains(rows, at) {
				rows = append(rows, at)
			}
		}
	}
	slices.Sort(stacks)
	var depths []variant
	for _, stack := range slices.Compact(stacks) {
		depths = append(depths, variant{fmt.Sprintf("%d KiB", stack), func(at row) row { at.Stack = stack; return at }})
	}
	return figures.Table(rows, slices.Concat([]column{
		{Title: "server, call", Cell: func(at row) any { return titles.Replace(at.Target) + ", " + calls[at.mode] }},
	}, r.across("throughput", Rate, depths), r.across("processor time", CPU, depths)))
}

// abridgedGRPC has gRPC in each of its modes, by stack and callers, with nothing else
// varied.
func (r *Report) abridgedGRPC() table.Writer {
	var rows []row
	for _, c := range r.Cells() {
		if strings.HasPrefix(c.Target, "grpc") && c == (Cell{Target: c.Target, Stack: c.Stack, Callers: c.Callers}) {
			rows = append(rows, row{Cell: c})
		}
	}
	var modes []variant
	for _, m := range mode.All() {
		if m.Within {
			modes = append(modes, variant{m.Name, func(at row) row { at.mode = m.Name; return at }})
		}
	}
	return figures.Table(rows, slices.Concat([]column{
		{Title: "call", Cell: func(at row) any { return titles.Replace(at.Target) }},
		{Title: "KiB", Cell: func(at row) any { return at.Stack }},
		{Title: "callers", Cell: func(at row) any { return at.Callers }},
	}, r.across("processor time", CPU, modes), r.across("throughput", Rate, modes)))
}

// A variant is a column of several that show one figure: its title, and what it makes of
// the row.
type variant struct {
	title string
	of    func(row) row
}

// across are the columns of one figure: its title stands before the first only. A cell
// is a median of ratios.
func (r *Report) across(title string, figure Figure, variants []variant) (columns []column) {
	title += ", "
	for _, v := range variants {
		columns = append(columns, figures.Pick(title+v.title, func(at row) (figures.Spread, bool) {
			at = v.of(at)
			return r.Ratio(at.Cell, at.mode, figure)
		}, figures.Median, figures.Decimal))
		title = ""
	}
	return columns
}
