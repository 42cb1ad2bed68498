package report

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/runner"
	"example.com/hemlock/internal/figures"
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

// writeBlocks writes the tables for other documents, as far as their loads were
// measured.
func (r *Report) writeBlocks(b *strings.Builder) {
	if r.several() {
		return
	}
	procs := r.Settings.Procs[0]
	for _, a := range abridged {
		r.writeBlock(b, a.block, r.abridgedLoads(procs, a.loads))
	}
	r.writeBlock(b, "neighbours", r.abridgedNeighbours(procs))
	r.writeBlock(b, "rates", r.abridgedRates(procs))
}

func (r *Report) writeBlock(b *strings.Builder, name string, t table.Writer) {
	if t.Length() > 0 {
		fmt.Fprintln(b, figures.Block(name, t.RenderMarkdown(), r.Machine.Origin()))
	}
}

// abridgedLoads has the throughput relative to go.
func (r *Report) abridgedLoads(procs int, loads []named) table.Writer {
	t := newTable("tasks a second relative to `go`", runner.Subject, "best other")
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
	head := r.heads()
	head[0] = "p99 in ms during 4,000 tasks of 50 us"
	t := newTable(head...)
	for _, l := range r.Loads {
		if !strings.HasPrefix(l.Name, burst) || l.Bystander == load.Inside {
			continue
		}
		measured := l.Name
		l.Name = string(l.Bystander)
		t.AppendRow(r.row(l, func(name string) (string, bool) {
			s, ok := r.Absolute(procs, measured, name, Delayed(P99))
			return fmt.Sprintf("%.1f", s.Median/1e6), ok
		}))
	}
	return t
}

// abridgedRates has the 99th percentile of the delays at fixed rates.
func (r *Report) abridgedRates(procs int) table.Writer {
	head := []any{"p99 of a task relative to `go`, at a rate of"}
	for _, rate := range load.Rates {
		head = append(head, fmt.Sprintf("%d %%", rate))
	}
	t := newTable(head...)
	for _, l := range r.Loads {
		if l.Group != load.FixedRate || l.Rate != load.Rates[0] {
			continue
		}
		row := table.Row{kind(l)}
		for _, rate := range load.Rates {
			s, ok := r.Ratio(procs, fmt.Sprintf("%s, %d %%", kind(l), rate), runner.Subject, Delayed(P99))
			row = append(row, ratio(s.Median, ok))
		}
		t.AppendRow(row)
	}
	return t
}
