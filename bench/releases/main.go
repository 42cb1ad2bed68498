// Releases prints a table of the results of bench with several releases of Go:
//
//	go run ./bench/releases bench/results/go1.26/results.json.gz bench/results/go1.27/results.json.gz
//
// `make releases-race` measures the results and writes the table to
// bench/results/releases.md.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("releases: ")
	text, err := run(os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
}

// run returns the table of the reports in the files, with a heading.
func run(files []string) (string, error) {
	var reports []*report.Report
	var origins []string
	for _, file := range files {
		r, err := figures.Read[report.Report](file)
		if err != nil {
			return "", err
		}
		reports = append(reports, r)
		origins = append(origins, r.Machine.Origin())
	}
	if len(reports) == 0 {
		return "", errors.New("no results are named")
	}
	t, err := tabulate(reports)
	if err != nil {
		return "", err
	}
	var page figures.Page
	page.Printf("# By release\n\nMade by `make releases-race`.\n\n")
	page.Block("releases", t, origins...)
	return strings.TrimSuffix(page.String(), "\n"), nil
}

// tabulate returns a table with a row for each kind of load and a column for each report.
// A cell is the median of hemlock's throughput relative to go. If a kind has several
// loads, it is the smallest and the largest of their medians.
func tabulate(reports []*report.Report) (table.Writer, error) {
	columns := []figures.Column[string]{{Title: "load", Cell: func(kind string) any { return kind }}}
	var kinds []string
	for _, r := range reports {
		ratios := map[string][]float64{}
		for _, l := range r.Loads {
			spread, ok := r.Ratio(r.Settings.Procs[0], l.Name, runner.Subject, report.Rate)
			if !ok {
				return nil, fmt.Errorf("%s has no figure for %q", r.Machine.Go, l.Name)
			}
			kind := kindOf(l)
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
			ratios[kind] = append(ratios[kind], spread.Median)
		}
		columns = append(columns, figures.Column[string]{Title: r.Machine.Go, Cell: func(kind string) any { return span(ratios[kind]) }})
	}
	t := figures.Table(kinds, columns)
	t.SetStyle(table.StyleDefault)
	return t, nil
}

// kindOf names the load by its group and by what its tasks need.
func kindOf(l load.Load) string {
	switch {
	case l.Stack > 0:
		return fmt.Sprintf("%s: %d KiB", l.Group, l.Stack)
	case l.Work > 0:
		return fmt.Sprintf("%s: %g us", l.Group, float64(l.Work)/float64(time.Microsecond))
	case l.Block > 0:
		return string(l.Group) + ": tasks that block"
	}
	return string(l.Group) + ": no stack"
}

func span(ratios []float64) string {
	switch len(ratios) {
	case 0:
		return "not measured"
	case 1:
		return fmt.Sprintf("%.2f", ratios[0])
	}
	return fmt.Sprintf("%.2f to %.2f", slices.Min(ratios), slices.Max(ratios))
}
