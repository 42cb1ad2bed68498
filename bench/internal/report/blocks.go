package report

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/runner"
)

// abridged are the loads of the tables for other documents, and their names there.
// Loads at which the pool is behind are among them.
var abridged = []struct {
	block string
	loads []named
}{
	{"submitters", []named{
		{"empty, 1 submitter, every 8", "empty, 1 submitter waits every 8 tasks"},
		{"empty, 1 submitter, every 64", "empty, 1 submitter waits every 64 tasks"},
		{"empty, 1 submitter, every 1,000", "empty, 1 submitter waits every 1,000 tasks"},
		{"empty, P submitters, every 64", "empty, P submitters wait every 64 tasks"},
		{"empty, P submitters, never waits", "empty, P submitters never wait"},
		{"8 KiB, 1 submitter, every 64", "8 KiB of stack, 1 submitter waits every 64 tasks"},
		{"8 KiB, P submitters, every 64", "8 KiB of stack, P submitters wait every 64 tasks"},
		{"0.5 us, 1 submitter, every 16", "0.5 us of work, 1 submitter waits every 16 tasks"},
		{"1 us, 1 submitter, every 16", "1 us of work, 1 submitter waits every 16 tasks"},
		{"2 us, 1 submitter, every 16", "2 us of work, 1 submitter waits every 16 tasks"},
	}},
	{"callers", []named{
		{"empty, 64 callers", "empty"},
		{"2 KiB, 64 callers", "2 KiB of stack"},
		{"4 KiB, 64 callers", "4 KiB of stack"},
		{"8 KiB, 64 callers", "8 KiB of stack"},
		{"16 KiB, 64 callers", "16 KiB of stack"},
		{"30 KiB, 64 callers", "30 KiB of stack"},
		{"60 KiB, 64 callers", "60 KiB of stack"},
	}},
	{"blocking", []named{
		{"20 us, P submitters, every 64", "20 us of work, P submitters wait every 64 tasks"},
		{"1,000 tasks block for 1 ms, 1 submitter", "1,000 tasks block for 1 ms"},
		{"10,000 tasks block for 1 ms, 1 submitter", "10,000 tasks block for 1 ms"},
		{"4 KiB, blocks for 1 ms, 2,000 callers", "4 KiB of stack, blocks for 1 ms, 2,000 callers"},
		{"cold pool, 2,000 shallow tasks", "2,000 shallow tasks on a cold pool"},
		{"cold pool, 2,000 tasks block for 1 ms", "2,000 tasks that block for 1 ms on a cold pool"},
		{"spawn storm, 10 × 1,000 tasks", "10,000 tasks that wait for each other on a cold pool"},
	}},
}

type named struct{ load, words string }

// burst begins the names of the loads that the documents show.
const burst = "4,000 x 50 us from 1:"

// writeBlocks writes the tables for other documents, as far as their loads were
// measured.
func (r *Report) writeBlocks(b *figures.Page) {
	if r.several() {
		return
	}
	procs, origin := r.Settings.Procs[0], r.Machine.Origin()
	for _, a := range abridged {
		b.Block(a.block, r.abridgedLoads(procs, a.loads), origin)
	}
	b.Block("neighbours", r.abridgedNeighbours(procs), origin)
	b.Block("rates", r.abridgedRates(procs), origin)
}

// abridgedLoads has the throughput relative to go.
func (r *Report) abridgedLoads(procs int, loads []named) table.Writer {
	t := figures.NewTable("tasks a second relative to `go`", runner.Subject, "best other")
	for _, l := range loads {
		own, ok := r.Ratio(procs, l.load, runner.Subject, Rate)
		best, peer := r.Best(procs, l.load, r.Peers())
		if ok && best != "" {
			t.AppendRow(table.Row{l.words, figures.Decimal(own.Median), figures.Decimal(peer.Median) + ", " + best})
		}
	}
	return t
}

// abridgedNeighbours has the 99th percentile of the delays of the bystanders.
func (r *Report) abridgedNeighbours(procs int) table.Writer {
	t := figures.NewTable(r.heads("p99 in ms during 4,000 tasks of 50 us")...)
	for _, l := range r.Loads {
		if strings.HasPrefix(l.Name, burst) && l.Bystander != load.Inside {
			t.AppendRow(r.row(string(l.Bystander), l, func(l load.Load, name string) (string, bool) {
				s, ok := r.Absolute(procs, l.Name, name, Delayed(P99))
				return fmt.Sprintf("%.1f", s.Median/1e6), ok
			}))
		}
	}
	return t
}

// abridgedRates has the 99th percentile of the delays at fixed rates.
func (r *Report) abridgedRates(procs int) table.Writer {
	columns := []figures.Column[string]{{Title: "p99 of a task relative to `go`, at a rate of", Cell: func(kind string) any { return kind }}}
	for _, rate := range load.Rates {
		percent := fmt.Sprintf("%d %%", rate)
		columns = append(columns, figures.Pick(percent, func(kind string) (figures.Spread, bool) {
			return r.Ratio(procs, kind+", "+percent, runner.Subject, Delayed(P99))
		}, figures.Median, figures.Decimal))
	}
	var kinds []string
	for _, l := range r.Loads {
		if kind, first := strings.CutSuffix(l.Name, fmt.Sprintf(", %d %%", load.Rates[0])); first && l.Group == load.FixedRate {
			kinds = append(kinds, kind)
		}
	}
	return figures.Table(kinds, columns)
}
