package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/drive"
	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/target"
)

func TestMain(m *testing.M) {
	process.BecomeServer()
	os.Exit(m.Run())
}

func parsed(t *testing.T, args ...string) options {
	t.Helper()
	o, err := parse(args, flag.ContinueOnError)
	require.NoError(t, err)
	return o
}

func TestByDefaultAllServersAreMeasuredAndNothingIsWritten(t *testing.T) {
	o := parsed(t)
	require.Len(t, o.plan.Targets, len(target.All()))
	require.Empty(t, o.plan.Modes)
	require.Equal(t, []int{0, 8, 32}, o.plan.Stacks)
	require.Equal(t, []int{64, 256}, o.plan.Callers)
	require.Equal(t, []int{0}, o.plan.Ballasts)
	require.Empty(t, o.out)
	require.Empty(t, o.plan.ProfileTo)
	require.Zero(t, o.plan.Settings.Budget)
}

func TestFlagsSayWhatIsMeasured(t *testing.T) {
	o := parsed(t, "-targets", "http3, dns", "-modes", "pool,lib", "-depths", "8", "-callers", "1,2", "-rate", "30,90", "-ballast", "0,4,64",
		"-rounds", "7", "-duration", "2s", "-warmup", "1s", "-budget", "5m", "-garbage", "0", "-connections", "9",
		"-gogc", "1600", "-godebug", "gcshrinkstackoff=1", "-profile", "p", "-out", "o")
	require.Equal(t, []string{"http3", "dns"}, names(o.plan.Targets))
	require.Equal(t, []string{"pool", "lib"}, o.plan.Modes)
	require.Equal(t, []int{8}, o.plan.Stacks)
	require.Equal(t, []int{1, 2}, o.plan.Callers)
	require.Equal(t, []int{0, 4, 64}, o.plan.Ballasts)
	require.Equal(t, report.Settings{
		Rounds: 7, Duration: 2 * time.Second, Warmup: time.Second, Budget: 5 * time.Minute, Connections: 9,
		GOGC: "1600", GODEBUG: "gcshrinkstackoff=1",
		Rates: []int{30, 90},
	}, o.plan.Settings)
	require.Equal(t, "p", o.plan.ProfileTo)
	require.Equal(t, "o", o.out)
}

func TestMisuseIsNamed(t *testing.T) {
	for want, args := range map[string][]string{
		"-rounds":          {"-rounds", "0"},
		"-connections":     {"-connections", "0"},
		"-duration":        {"-duration", "0"},
		"-warmup":          {"-warmup", "-1s"},
		"-budget":          {"-budget", "-1s"},
		"-stop":            {"-stop", "-1s"},
		"-garbage":         {"-garbage", "-1"},
		`no target "ftp"`:  {"-targets", "dns,ftp"},
		`no mode "magic"`:  {"-modes", "magic"},
		"0 is below 1":     {"-callers", "64,0"},
		"flag -rate: 0 is": {"-rate", "0"},
		"-1 is below 0":    {"-depths", "-1"},
		`parsing "x"`:      {"-ballast", "x"},
		`argument "extra"`: {"extra"},
	} {
		_, err := parse(args, flag.ContinueOnError)
		require.ErrorContains(t, err, want)
	}
}

func TestEveryServerIsMeasuredInAProcessOfItsOwn(t *testing.T) {
	folder := t.TempDir()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{
		"-depths", "1", "-callers", "4", "-rounds", "1", "-duration", "30ms", "-warmup", "10ms", "-modes", "pool", "-out", folder,
	}, &out))
	written, err := os.ReadFile(filepath.Join(folder, "results.md"))
	require.NoError(t, err)
	require.Equal(t, out.String(), string(written))
	for _, of := range target.All() {
		require.Contains(t, out.String(), "| "+of.Name+" ")
	}
	require.Contains(t, out.String(), "every call had the right answer")

	var again bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-render", filepath.Join(folder, "results.json.gz")}, &again))
	require.Equal(t, out.String(), again.String())
	require.Error(t, run(t.Context(), []string{"-render", filepath.Join(folder, "none.json")}, &again))
}

func TestFailedCallsAreAnError(t *testing.T) {
	good := report.Measurement{Result: drive.Result{Calls: 7}}
	bad := report.Measurement{Result: drive.Result{Calls: 7, Failed: 2}}
	require.NoError(t, verdict(&report.Report{Measurements: []report.Measurement{good}}))
	require.EqualError(t, verdict(&report.Report{Measurements: []report.Measurement{good, bad, bad}}), "servers: 4 calls failed")
}

func TestStopPrintsWhenAServerIsBack(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signal stops a process")
	}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{
		"-stop", "200ms", "-targets", "dns", "-modes", "pool", "-depths", "1", "-callers", "16", "-rate", "10", "-rounds", "1", "-duration", "2s",
	}, &out))
	for _, mode := range []string{"go", "pool"} {
		require.Regexp(t, "dns, "+mode+`, round 1: stopped for 200ms at \d+ calls due a second, back after [\d.]+m?s\n`, out.String())
	}
}
