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
	var targets []string
	var stacks []int
	for _, c := range r.Cells() {
		if !slices.Contains(targets, c.Target) {
			targets = append(targets, c.Target)
		}
		stacks = append(stacks, c.Stack)
	}
	slices.Sort(stacks)
	stacks = slices.Compact(stacks)
	var depths []string
	for _, stack := range stacks {
		depths = append(depths, fmt.Sprintf("%d KiB", stack))
	}
	t := figures.NewTable(slices.Concat([]any{"server, call"}, columns("throughput", depths), columns("processor time", depths))...)
	for _, target := range targets {
		for _, call := range []struct{ mode, name string }{{mode.Subject, "Run"}, {mode.Through, "Do"}} {
			var rates, times []any
			for _, stack := range stacks {
				cell := Cell{Target: target, Stack: stack, Callers: 64}
				rates = append(rates, r.ratio(cell, call.mode, Rate))
				times = append(times, r.ratio(cell, call.mode, CPU))
			}
			if slices.ContainsFunc(rates, func(cell any) bool { return cell != figures.Nothing }) {
				t.AppendRow(slices.Concat(table.Row{titles.Replace(target) + ", " + call.name}, rates, times))
			}
		}
	}
	return t
}

// abridgedGRPC has gRPC in each of its modes, by stack and callers, with nothing else
// varied.
func (r *Report) abridgedGRPC() table.Writer {
	var modes []string
	for _, m := range mode.All() {
		if m.Within {
			modes = append(modes, m.Name)
		}
	}
	t := figures.NewTable(slices.Concat([]any{"call", "KiB", "callers"}, columns("processor time", modes), columns("throughput", modes))...)
	for _, c := range r.Cells() {
		if !strings.HasPrefix(c.Target, "grpc") || c != (Cell{Target: c.Target, Stack: c.Stack, Callers: c.Callers}) {
			continue
		}
		row := table.Row{titles.Replace(c.Target), c.Stack, c.Callers}
		for _, figure := range []Figure{CPU, Rate} {
			for _, name := range modes {
				row = append(row, r.ratio(c, name, figure))
			}
		}
		t.AppendRow(row)
	}
	return t
}

// columns heads those of one figure: its title stands before the first name only.
func columns(title string, names []string) (head []any) {
	for i, name := range names {
		if i == 0 {
			name = title + ", " + name
		}
		head = append(head, name)
	}
	return head
}

// ratio is a cell of a table: the median, or nothing.
func (r *Report) ratio(cell Cell, name string, figure Figure) string {
	s, ok := r.Ratio(cell, name, figure)
	return figures.Cell(s.Median, ok, figures.Decimal)
}
