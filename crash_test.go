package hemlock_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// children are what a child process of the test binary runs instead of the
// tests: what ends the process cannot be tested within it.
var children = map[string]func(){
	"import": func() { fmt.Println("goroutines:", runtime.NumGoroutine()) },
	"panic":  func() { crashDuringShutdown(hemlock.New(), func() { panic("task panic") }) },
	"runtime error": func() {
		crashDuringShutdown(hemlock.New(), func() { var p *int; *p = 1 })
	},
	"panic while exiting": func() {
		crashDuringShutdown(hemlock.New(), func() {
			defer func() { panic("late panic") }()
			runtime.Goexit()
		})
	},
	"panicking handler": func() {
		p := hemlock.New(hemlock.WithPanicHandler(func(v any, _ []byte) { panic("handler panic") }))
		crashDuringShutdown(p, func() { panic("task panic") })
	},
	"panic after shutdown": func() {
		p := hemlock.New()
		_ = p.Shutdown(context.Background())
		p.Run(func() { panic("task panic") })
		select {}
	},
}

// crashDuringShutdown runs the task on a pool while main waits in Shutdown and
// then exits as if all were well.
func crashDuringShutdown(p *hemlock.Pool, task func()) {
	started := make(chan struct{})
	p.Run(func() {
		<-started
		task()
	})
	close(started)
	_ = p.Shutdown(context.Background())
	os.Exit(0)
}

const childVariable = "HEMLOCK_TEST_CHILD"

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childVariable)]; child != nil {
		child()
		return
	}
	os.Exit(m.Run())
}

// runChild returns what the child printed and its exit status.
func runChild(t testing.TB, name string) (output string, status int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.IsType(t, (*exec.ExitError)(nil), err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// requireCrashes runs the child so many times, four at once, and checks that it
// crashes each time and prints all that is wanted.
func requireCrashes(t testing.TB, name string, times int, wants ...string) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(4)
	for range times {
		group.Go(func() error {
			output, status := runChild(t, name)
			if status != 2 {
				return fmt.Errorf("exit status %d: %s", status, output)
			}
			return contains(output, wants...)
		})
	}
	require.NoError(t, group.Wait())
}

// contains says what is missing in the output.
func contains(output string, wants ...string) error {
	for _, want := range wants {
		if !strings.Contains(output, want) {
			return fmt.Errorf("no %q in: %s", want, output)
		}
	}
	return nil
}

// Pitfall 33: a crash is never swallowed. A worker that counted itself out while
// its process is crashing would let main exit first, now and then.
func TestCrashIsNeverSwallowed(t *testing.T) {
	for name, wants := range map[string][]string{
		"panic":                {"panic: task panic", "crash_test.go"},
		"runtime error":        {"nil pointer dereference", "crash_test.go"},
		"panic while exiting":  {"panic: late panic", "crash_test.go"},
		"panicking handler":    {"panic: task panic", "panic: handler panic"},
		"panic after shutdown": {"panic: task panic", "crash_test.go"},
	} {
		t.Run(name, func(t *testing.T) {
			requireCrashes(t, name, scaled(100), wants...)
		})
	}
}

// Pitfall 30: an import starts nothing.
func TestImportStartsNothing(t *testing.T) {
	output, status := runChild(t, "import")
	require.Zero(t, status)
	require.Equal(t, "goroutines: 1\n", output)
}
