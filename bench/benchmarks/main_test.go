package main

import (
	"strings"
	"testing"

	"example.com/hemlock/bench/internal/figures"
	"github.com/stretchr/testify/require"
)

const rounds = `goos: linux
BenchmarkGo/stack=0KiB/callers=64-2                 	 1000	  500 ns/op	 24 B/op
BenchmarkDo/stack=0KiB/callers=1-2                  	 1000	    1 ns/op
BenchmarkDo/stack=0KiB/callers=64-2                 	 1000	  250 ns/op
BenchmarkFanOut/stack=4KiB/tasks=10/by=errgroup-2   	 1000	 2000 ns/op
BenchmarkFanOut/stack=4KiB/tasks=10/by=group-2      	 1000	 1000 ns/op
PASS
ok  	example.com/hemlock/bench	1.0s
BenchmarkGo/stack=0KiB/callers=64-2                 	 1000	  900 ns/op
BenchmarkDo/stack=0KiB/callers=64-2                 	 1000	  100 ns/op
BenchmarkGo/stack=0KiB/callers=64-2                 	 1000	  400 ns/op
BenchmarkDo/stack=0KiB/callers=64-2                 	 1000	  100 ns/op
`

func TestTablesHaveTheMedianOfTheRatiosOfOneRound(t *testing.T) {
	text, err := run(strings.NewReader(rounds), figures.Machine{Go: "go1.26", Command: "make benchmark"})
	require.NoError(t, err)
	require.Contains(t, text, `<!-- figures: fanout -->
| stack a task | 10 tasks | 100 tasks |
| ------------ | -------- | --------- |
| 4 KiB        | 2.00     | -         |

Measured by `+"`make benchmark`: commit not recorded")
	require.Contains(t, text, `<!-- figures: do -->
| stack a task | Do   |
| ------------ | ---- |
| 0 KiB        | 4.00 |
`)
}

func TestLineThatIsNoResultIsNamed(t *testing.T) {
	_, err := run(strings.NewReader("BenchmarkDo/stack=0KiB/callers=64-2 many 5 ns/op\n"), figures.Machine{})
	require.ErrorContains(t, err, "the input:1")
}
