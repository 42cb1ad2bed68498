// Benchmarks prints tables of what the benchmarks of bench print, round after round:
//
//	for round in 1 2 3 4 5 6; do
//		go test -run '^$' -bench '^Benchmark(Go|Do|FanOut)$' ./bench
//	done | go run ./bench/benchmarks
//
// `make benchmark` does that, and writes the tables to bench/results/benchmarks.md.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/perf/benchfmt"

	"example.com/hemlock/bench/internal/figures"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("benchmarks: ")
	text, err := run(os.Stdin, figures.Here("make benchmark"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
}

// run returns the tables, with a heading.
func run(in io.Reader, m figures.Machine) (string, error) {
	r, err := read(in)
	if err != nil {
		return "", err
	}
	var page figures.Page
	page.Printf("# Benchmarks\n\nMade by `make benchmark`: medians of ratios of one round.\n\n")
	page.Printf("How many times as long a request takes with errgroup as with group, by its tasks:\n\n")
	page.Block("fanout", r.table("FanOut",
		r.ratio("10 tasks", "FanOut/%s/tasks=10/by=errgroup", "FanOut/%s/tasks=10/by=group"),
		r.ratio("100 tasks", "FanOut/%s/tasks=100/by=errgroup", "FanOut/%s/tasks=100/by=group")), m.Origin())
	page.Printf("How many times as long a task on a fresh goroutine takes without Do as with it, 64 at a time:\n\n")
	page.Block("do", r.table("Do", r.ratio("Do", "Go/%s/callers=64", "Do/%s/callers=64")), m.Origin())
	return strings.TrimSuffix(page.String(), "\n"), nil
}

// results are the seconds of an operation by round, and the names of the benchmarks in
// the order in which they ran.
type results struct {
	times map[string]figures.Rounds
	names []string
}

func read(in io.Reader) (results, error) {
	r := results{times: map[string]figures.Rounds{}}
	lines := benchfmt.NewReader(in, "the input")
	for lines.Scan() {
		switch record := lines.Result().(type) {
		case *benchfmt.Result:
			name, _, _ := strings.Cut(record.Name.String(), "-") // without GOMAXPROCS
			seconds, _ := record.Value("sec/op")
			if r.times[name] == nil {
				r.times[name] = figures.Rounds{}
				r.names = append(r.names, name)
			}
			r.times[name][len(r.times[name])] = seconds
		case *benchfmt.SyntaxError:
			return r, record
		}
	}
	return r, lines.Err()
}

// table has a row for each stack with which the benchmark ran.
func (r results) table(benchmark string, columns ...figures.Column[string]) table.Writer {
	var stacks []string
	for _, name := range r.names {
		if parts := strings.Split(name, "/"); parts[0] == benchmark && !slices.Contains(stacks, parts[1]) {
			stacks = append(stacks, parts[1])
		}
	}
	stack := figures.Column[string]{Title: "stack a task", Cell: func(stack string) any {
		return strings.NewReplacer("stack=", "", "KiB", " KiB").Replace(stack)
	}}
	return figures.Table(stacks, append([]figures.Column[string]{stack}, columns...))
}

// ratio is a column of how many times as long the slower of two benchmarks takes. Their
// names have %s where the stack stands.
func (r results) ratio(title, slower, faster string) figures.Column[string] {
	return figures.Pick(title, func(stack string) (figures.Spread, bool) {
		return r.times[fmt.Sprintf(slower, stack)].Over(r.times[fmt.Sprintf(faster, stack)])
	}, figures.Median, figures.Decimal)
}
