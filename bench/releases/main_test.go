package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"github.com/stretchr/testify/require"
)

// raced returns a report in which hemlock runs times as many tasks as go at each load.
func raced(release string, times map[string]int, loads ...load.Load) *report.Report {
	r := &report.Report{Machine: figures.Machine{Go: release}, Settings: report.Settings{Procs: []int{2}}, Loads: loads}
	for _, l := range loads {
		for name, tasks := range map[string]int{"go": 1, "hemlock": times[l.Name]} {
			r.Samples = append(r.Samples, report.Sample{Load: l.Name, Runner: name, Procs: 2, Tasks: tasks, Elapsed: time.Second})
		}
	}
	return r
}

func TestTableHasARowForEachKindAndAColumnForEachRelease(t *testing.T) {
	few := load.Load{Name: "few", Group: "callers", Stack: 8}
	many := load.Load{Name: "many", Group: "callers", Stack: 8}
	work := load.Load{Name: "work", Group: "work", Work: 500 * time.Nanosecond}
	sleep := load.Load{Name: "sleep", Group: "blocking", Block: time.Millisecond}
	table, err := tabulate([]*report.Report{
		raced("go1.26", map[string]int{"few": 2, "many": 3, "work": 4}, few, many, work),
		raced("go1.27", map[string]int{"few": 5, "sleep": 6}, few, sleep),
	})
	require.NoError(t, err)
	require.Equal(t, `| load | go1.26 | go1.27 |
| --- | --- | --- |
| callers: 8 KiB | 2.00 to 3.00 | 5.00 |
| work: 0.5 us | 4.00 | not measured |
| blocking: tasks that block | not measured | 6.00 |`, table.RenderMarkdown())

	_, err = tabulate([]*report.Report{raced("go1.26", nil, few)})
	require.EqualError(t, err, `go1.26 has no figure for "few"`)
}

func TestTableIsInABlockThatNamesEachReport(t *testing.T) {
	few := load.Load{Name: "few", Group: "callers"}
	var files []string
	for _, release := range []string{"go1.26", "go1.27"} {
		folder := t.TempDir()
		require.NoError(t, figures.Publish(raced(release, map[string]int{"few": 2}, few), folder, io.Discard))
		files = append(files, filepath.Join(folder, "results.json.gz"))
	}
	text, err := run(files)
	require.NoError(t, err)
	require.Contains(t, text, "<!-- figures: releases -->\n| load | go1.26 | go1.27 |\n")
	require.Contains(t, text, "| callers: no stack | 2.00 | 2.00 |\n\nMeasured by")
	require.Equal(t, 2, strings.Count(text, "commit not recorded"))

	_, err = run(nil)
	require.EqualError(t, err, "no results are named")
	_, err = run([]string{"missing.json.gz"})
	require.ErrorIs(t, err, os.ErrNotExist)
}
