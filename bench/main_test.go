package main

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/runner"
)

func parsed(t *testing.T, args ...string) options {
	t.Helper()
	o, err := parse(args, flag.ContinueOnError)
	require.NoError(t, err)
	return o
}

func TestWholeComparisonIsWrittenToTheDocumentation(t *testing.T) {
	o := parsed(t)
	require.Equal(t, "bench/results", o.out)
	require.GreaterOrEqual(t, o.settings.Rounds, 9)
	require.Len(t, o.runners, len(runner.All()))
	require.Len(t, o.loads, len(load.All()))
	require.Positive(t, o.settings.ShrinkLimit)
}

func TestPartOfTheComparisonIsWrittenOnlyOnRequest(t *testing.T) {
	require.Empty(t, parsed(t, "-quick").out)
	require.Empty(t, parsed(t, "-loads", "empty").out)
	require.Empty(t, parsed(t, "-runners", "hemlock").out)
	require.Empty(t, parsed(t, "-procs", "4,16").out)
	require.Empty(t, parsed(t, "-budget", "5m").out)
	require.Equal(t, "x", parsed(t, "-quick", "-out", "x").out)
}

func TestQuickDoesNotWaitForPoolsToShrink(t *testing.T) {
	o := parsed(t, "-quick", "-rounds", "5")
	require.Zero(t, o.settings.ShrinkLimit)
	require.Equal(t, 5, o.settings.Rounds, "a flag overrides -quick")
	require.Less(t, o.settings.Duration, parsed(t).settings.Duration)
	require.Less(t, o.settings.Budget, time.Minute)
}

func TestLoadsAreNamedByTheirGroupToo(t *testing.T) {
	groups := map[load.Group]int{}
	for _, l := range parsed(t, "-loads", "neighbours|fixed rate").loads {
		groups[l.Group]++
	}
	require.Equal(t, map[load.Group]int{load.Beside: 85, load.FixedRate: 24}, groups)
}

func TestQuickHasAShortFormOfTheLongGroups(t *testing.T) {
	var names []string
	for _, l := range parsed(t, "-quick", "-loads", "neighbours|fixed rate").loads {
		names = append(names, l.Name)
	}
	require.Len(t, names, 6+1+1)
	require.Contains(t, names, "500 x 50 us from 1: TCP echo")
	require.Contains(t, names, "time.Sleep, 60 %")
}

func TestBaselineAlwaysTakesPart(t *testing.T) {
	o := parsed(t, "-runners", "^hemlock$")
	require.Len(t, o.runners, 2)
	require.Equal(t, runner.Baseline, o.runners[0].Name)
}

func TestProcessorsAreThoseOfTheFlag(t *testing.T) {
	require.Equal(t, []int{runtime.GOMAXPROCS(0)}, parsed(t).settings.Procs)
	o := parsed(t, "-procs", "4, 16")
	require.Equal(t, []int{4, 16}, o.settings.Procs)
	require.Len(t, o.loads, len(load.All()))
	require.Positive(t, o.settings.Passes, "latencies too")
}

func TestBudgetLeavesNoTimeToWaitForPoolsToShrink(t *testing.T) {
	o := parsed(t, "-budget", "5m")
	require.Equal(t, 5*time.Minute, o.settings.Budget)
	require.Zero(t, o.settings.ShrinkLimit)
	require.Equal(t, time.Second, parsed(t, "-budget", "5m", "-shrink", "1s").settings.ShrinkLimit)
	require.Equal(t, time.Minute, parsed(t, "-quick", "-budget", "1m").settings.Budget)
}

func TestMisuseIsNamed(t *testing.T) {
	for want, args := range map[string][]string{
		"-rounds":          {"-rounds", "0"},
		"-duration":        {"-duration", "0"},
		"-passes":          {"-passes", "-1"},
		"-budget":          {"-budget", "-1s"},
		`-procs: "x"`:      {"-procs", "4,x"},
		`-procs: "0"`:      {"-procs", "0"},
		"-runners":         {"-runners", "("},
		"-loads":           {"-loads", "("},
		"no load matches":  {"-loads", "zzz"},
		`argument "extra"`: {"extra"},
	} {
		_, err := parse(args, flag.ContinueOnError)
		require.ErrorContains(t, err, want)
	}
}

func TestProgramWritesAndRendersAgain(t *testing.T) {
	var tables, same strings.Builder
	first, again := t.TempDir(), t.TempDir()
	require.NoError(t, run(t.Context(), []string{
		"-quick", "-runners", "^hemlock$|^ants$", "-loads", "^empty, 1 c|^[28] KiB, 64|^500 x 50 us from 1", "-out", first,
		"-rounds", "1", "-duration", "1ms", "-latencies", "100",
	}, &tables))
	require.NoError(t, run(t.Context(), []string{"-render", filepath.Join(first, "results.json.gz"), "-out", again}, &same))
	require.Equal(t, tables.String(), same.String())
	for _, name := range []string{"results.json.gz", "results.md", "ratio.svg", "depth.svg", "depth-dark.svg", "latency.svg"} {
		want, err := os.ReadFile(filepath.Join(first, name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(again, name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), name)
	}
}
