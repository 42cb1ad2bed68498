package process_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/drive"
	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/target"
	"example.com/hemlock/bench/servers/internal/work"
)

// parent is the environment variable that makes the test a parent that waits to
// be killed.
const parent = "HEMLOCK_TEST_PARENT"

var config = process.Config{Target: "net/rpc", Mode: "pool", Work: work.Work{Stack: 1, Garbage: 256}}

func TestMain(m *testing.M) {
	process.BecomeServer()
	if os.Getenv(parent) != "" {
		waitToBeKilled()
	}
	os.Exit(m.Run())
}

// waitToBeKilled starts a server, says so, and never ends.
func waitToBeKilled() {
	_ = os.Unsetenv(parent)
	if _, err := process.Start(context.Background(), config); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("started")
	time.Sleep(time.Hour)
}

func start(t *testing.T, config process.Config, environment ...string) *process.Process {
	t.Helper()
	p, err := process.Start(t.Context(), config, environment...)
	require.NoError(t, err)
	return p
}

// counted returns the counts of a server before and after it answered some calls.
func counted(t *testing.T, config process.Config, environment ...string) (before, after process.Counts, calls int) {
	t.Helper()
	p := start(t, config, environment...)
	before, err := p.Counts()
	require.NoError(t, err)
	calls = load(t, p)
	after, err = p.Counts()
	require.NoError(t, err)
	require.NoError(t, p.Stop())
	return before, after, calls
}

// load asks the server for a moment and returns how many calls it answered.
func load(t *testing.T, p *process.Process) int {
	t.Helper()
	of, err := target.Find(config.Target)
	require.NoError(t, err)
	callers, err := drive.Dial(of, p.Endpoint, 4, 2)
	require.NoError(t, err)
	result := callers.Run(t.Context(), 50*time.Millisecond)
	require.NoError(t, callers.Close())
	require.Empty(t, result.Failure)
	require.Positive(t, result.Calls)
	return result.Calls
}

func TestCountsAreThoseOfTheServer(t *testing.T) {
	before, after, calls := counted(t, config)
	require.Greater(t, after.CPU, before.CPU)
	require.Positive(t, after.Goroutines)
	require.Positive(t, after.Stacks)
	require.Positive(t, after.StartStack)
	require.Positive(t, after.Heap)
	require.Greater(t, after.Created, before.Created)
	workers, ok := after.Workers()
	require.True(t, ok)
	require.Positive(t, workers.Peak)
	require.GreaterOrEqual(t, workers.Spawned, workers.Peak)
	require.Less(t, after.Created-before.Created, uint64(calls), "a pool does not create a goroutine a call")
}

func TestAGoStatementHasNoWorkers(t *testing.T) {
	c := config
	c.Mode = "go"
	before, after, calls := counted(t, c)
	_, ok := after.Workers()
	require.False(t, ok)
	require.GreaterOrEqual(t, after.Created-before.Created, uint64(calls))
}

func TestTheEnvironmentReachesTheServer(t *testing.T) {
	_, after, _ := counted(t, config, "GOGC=off")
	require.Zero(t, after.Collections)
}

func TestBallastLiesInTheServer(t *testing.T) {
	c := config
	c.Work.Ballast = 8
	before, _, _ := counted(t, c)
	require.Greater(t, before.Heap, uint64(8<<20))
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	_, err := process.Start(t.Context(), process.Config{Target: "none", Mode: "go"})
	require.ErrorContains(t, err, `no target "none"`)
	_, err = process.Start(t.Context(), process.Config{Target: "dns", Mode: "none"})
	require.ErrorContains(t, err, `no mode "none"`)
}

func TestAServerEndsWithItsParent(t *testing.T) {
	// The parent and the server hold the writing end of the pipe, so a read of the
	// pipe ends when both processes have.
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program)
	command.Env = append(os.Environ(), parent+"=1")
	command.Stderr = w
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	require.NoError(t, w.Close())
	said := make([]byte, len("started\n"))
	_, err = io.ReadFull(stdout, said)
	require.NoError(t, err)
	require.Equal(t, "started\n", string(said))

	require.NoError(t, command.Process.Kill())

	require.NoError(t, r.SetReadDeadline(time.Now().Add(time.Minute)))
	rest, err := io.ReadAll(r)
	require.NoError(t, err, "the server goes on without its parent")
	require.Empty(t, string(rest))
	require.Error(t, command.Wait(), "it was killed")
}

func TestAProfileIsOfTheServer(t *testing.T) {
	p := start(t, config)
	require.NoError(t, p.StartProfile())
	require.Error(t, p.StartProfile(), "one is under way")
	load(t, p)
	data, err := p.StopProfile()
	require.NoError(t, err)
	require.NoError(t, p.Stop())
	require.NotEmpty(t, data)
}
