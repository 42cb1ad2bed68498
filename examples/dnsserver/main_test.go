package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

func TestExitStatusSaysWhatWentWrong(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.zone")
	require.NoError(t, os.WriteFile(broken, []byte("broken. 60 IN A no-address\n"), 0o600))
	busy := startServer(t, loopback(goRunner)).addr().String()
	const free = "127.0.0.1:0"
	for name, c := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"unknown flag":      {[]string{"-colour"}, 2, "-colour"},
		"argument":          {[]string{"serve"}, 2, `"serve"`},
		"help":              {[]string{"-h"}, 0, "-kill-interval"},
		"unknown runner":    {[]string{"-addr", free, "-runner", "threads"}, 2, `-runner "threads"`},
		"missing zone":      {[]string{"-addr", free, "-zone", "missing.zone"}, 1, "missing.zone"},
		"zone is a folder":  {[]string{"-addr", free, "-zone", filepath.Dir(broken)}, 1, filepath.Dir(broken)},
		"broken zone":       {[]string{"-addr", free, "-zone", broken}, 1, "broken.zone"},
		"busy address":      {[]string{"-addr", busy}, 1, busy},
		"no address":        {[]string{"-addr", "nowhere"}, 1, "nowhere"},
		"negative interval": {[]string{"-addr", free, "-kill-interval", "-1s"}, 2, "-kill-interval -1s"},
		"negative bound":    {[]string{"-addr", free, "-max", "-1"}, 2, "-max -1"},
		"too much headroom": {[]string{"-addr", free, "-memory-headroom", "91"}, 2, "-memory-headroom 91"},
		"busy metrics":      {[]string{"-addr", free, "-metrics", busy}, 1, "-metrics " + busy},
		"stopped, metrics":  {[]string{"-addr", free, "-metrics", ":0"}, 0, "metrics=127.0.0.1:"},
		"stopped, max":      {[]string{"-addr", free, "-max", "8"}, 0, "drained"},
		"too much work":     {[]string{"-addr", free, "-work", "65537"}, 2, "-work 65537"},
		"busy http":         {[]string{"-addr", free, "-http", busy}, 1, "-http " + busy},
		"stopped, http":     {[]string{"-addr", free, "-http", ":0"}, 0, "http=127.0.0.1:"},
		"demo, no zone":     {[]string{"-demo", "-zone", "missing.zone"}, 1, "missing.zone"},
		"stopped":           {[]string{"-addr", free}, 0, "drained"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr pooltest.Log
			require.Equal(t, c.status, run(pooltest.Ended(), c.args, io.Discard, &stderr), stderr.String())
			require.Contains(t, stderr.String(), c.stderr)
		})
	}
}

func TestDefaultsAreThoseOfThePackageUnlessItIsADemo(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want config
	}{
		"plain": {nil, config{addr: "127.0.0.1:5353", runner: poolRunner, killInterval: time.Second, killDelay: 10 * time.Second}},
		"demo": {[]string{"-demo"}, config{
			addr: "127.0.0.1:0", runner: poolRunner, demo: true,
			killInterval: 100 * time.Millisecond, killDelay: time.Second, latency: 5 * time.Millisecond,
		}},
		"given, http": {[]string{"-http", ":9090", "-work=8"}, config{
			addr: "127.0.0.1:5353", runner: poolRunner, killInterval: time.Second, killDelay: 10 * time.Second, http: ":9090", work: 8,
		}},
		"given": {[]string{"-demo", "-latency", "0", "-kill-delay=10s", "-kill-interval=1s", "-addr=127.0.0.1:5353"}, config{
			addr: "127.0.0.1:5353", runner: poolRunner, demo: true, killInterval: time.Second, killDelay: 10 * time.Second,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseFlags(c.args, io.Discard)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// A child is the program in a process of its own.
type child struct {
	*exec.Cmd
	addr string
	log  *pooltest.Log // what it printed after it began to serve
	copy chan error    // receives once its output has ended
}

var servingLine = regexp.MustCompile(`msg=serving addr=(\S+)`)

func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	// A program with the race detector in it sleeps for a second at its end.
	cmd.Env = append(os.Environ(), asChild+"=1", "GORACE=atexit_sleep_ms=0")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(stderr)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	match := servingLine.FindStringSubmatch(first)
	require.NotNil(t, match, first)
	c := &child{Cmd: cmd, addr: match[1], log: new(pooltest.Log), copy: make(chan error, 1)}
	go func() {
		_, err := io.Copy(c.log, lines)
		c.copy <- err
	}()
	return c
}

// wait returns the exit status.
func (c *child) wait(t *testing.T) int {
	t.Helper()
	require.NoError(t, <-c.copy)
	_ = c.Wait() // the status is below
	return c.ProcessState.ExitCode()
}

func TestSignalDrainsAndLogsStats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		runner string
		signal os.Signal
		stats  string
	}{
		{poolRunner, os.Interrupt, "stats.completed=4"},
		{poolRunner, syscall.SIGTERM, "stats.completed=4"},
		{goRunner, syscall.SIGTERM, "stats.submitted=4"},
	} {
		server := startChild(t, "-addr", "127.0.0.1:0", "-latency", "200ms", "-runner", c.runner)
		clients := []*asker{slowQuestion(t, "udp", server.addr), slowQuestion(t, "tcp", server.addr)}
		require.NoError(t, server.Process.Signal(c.signal))
		for _, client := range clients {
			client.requireAnswer(t)
		}
		require.Zero(t, server.wait(t), server.log)
		require.Contains(t, server.log.String(), "msg=drained")
		require.Contains(t, server.log.String(), c.stats)
	}
}

// The test takes the whole time that a drain is given.
func TestDrainThatTakesTooLongIsAnError(t *testing.T) {
	t.Parallel()
	server := startChild(t, "-addr", "127.0.0.1:0", "-latency", "1h")
	slowQuestion(t, "udp", server.addr)
	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 1, server.wait(t))
	require.Regexp(t, "dnsserver: drain: .*1 task running", server.log.String())
	require.Contains(t, server.log.String(), "stats.running=1")
}
