package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/figures/figurestest"
	"example.com/hemlock/bench/servers/internal/drive"
)

func TestPublishedTablesAreThoseOfTheirFigures(t *testing.T) {
	figurestest.Published(t, "../../results", func(file string) (figures.Report, error) { return figures.Read[Report](file) })
}

func TestWhatWasNotMeasuredIsNoFigure(t *testing.T) {
	for name, figure := range map[string]Figure{
		"rate": Rate, "CPU": CPU, "p50": P50, "p99": P99, "created": Created, "workers": Workers, "spawned": Spawned, "share": Share("newstack"),
	} {
		_, ok := figure(Measurement{})
		require.False(t, ok, name)
	}
}

// sample is a report of a server at a rate, in two modes.
func sample() *Report {
	cell := Cell{Target: "dns", Stack: 8, Callers: 64, Load: 30}
	good := Measurement{Cell: cell, Mode: "go", Result: drive.Result{Calls: 100, Elapsed: time.Second}}
	bad := Measurement{Cell: cell, Mode: "pool", Result: drive.Result{Calls: 200, Elapsed: time.Second, Failed: 3, Failure: "wrong answer"}}
	return &Report{Settings: Settings{GODEBUG: "gcshrinkstackoff=1"}, Measurements: []Measurement{good, bad}}
}

func TestFailuresAreCountedAndNamed(t *testing.T) {
	r := sample()
	require.Equal(t, 3, r.Failed())
	require.Contains(t, r.Tables(), "- dns, 8 KiB, 0 MiB, 64 callers, load 30 %, pool, round 1: 3 calls failed, one with: wrong answer")
	errors, ok := r.Absolute(r.Measurements[1].Cell, "pool", Errors)
	require.True(t, ok)
	require.EqualValues(t, 3, errors.Max)
}

func TestHeadNamesTheSettingsOfTheRuntime(t *testing.T) {
	require.Contains(t, sample().Tables(), "GOGC=default GODEBUG=gcshrinkstackoff=1")
}

func TestSharesOfProfilesHaveATable(t *testing.T) {
	r := sample()
	require.NotContains(t, r.Tables(), "Where the processor time went")
	r.Measurements[1].Shares = map[string]float64{"newstack": 0.125}
	require.Regexp(t, `## Where the processor time went\n[^#]*\| dns [^#]*\| pool \| 12.5 % `, r.Tables())
}
