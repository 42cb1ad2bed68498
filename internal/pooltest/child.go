package pooltest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// childVariable names, in the environment, what a child process runs.
const childVariable = "HEMLOCK_TEST_CHILD"

// silentVariable says, in the environment, that the test binary was built by a tool
// that removes what the runtime prints of a crash. Its status remains.
const silentVariable = "HEMLOCK_TEST_SILENT"

// Child returns the name of the child that the process is, or "".
func Child() string { return os.Getenv(childVariable) }

// Silent reports whether the runtime prints nothing of a crash.
func Silent() bool { return os.Getenv(silentVariable) != "" }

// Main is for TestMain. It runs the tests, or one of the children: what ends the
// process cannot be tested within it, so a test runs the test binary again, as
// that child. After the tests no goroutine may be leaked, if the runtime can tell;
// internal/tools/leak builds it so.
func Main(m *testing.M, children map[string]func()) {
	if name := Child(); name != "" {
		child := children[name]
		if child == nil {
			fmt.Fprintf(os.Stderr, "no child named %q\n", name)
			os.Exit(3)
		}
		child()
		return
	}
	code := m.Run()
	if err := leaked(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// RunChild returns what the child printed and its exit status.
func RunChild(t testing.TB, name string) (output string, status int, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", 0, err
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return "", 0, err
	}
	return string(out), cmd.ProcessState.ExitCode(), nil
}

// RequireCrashes runs the child that many times, four at once, and checks that it
// crashes each time and prints all that is wanted.
func RequireCrashes(t testing.TB, name string, times int, wants ...string) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(4)
	for range times {
		group.Go(func() error {
			output, status, err := RunChild(t, name)
			if err != nil {
				return err
			}
			if status != 2 {
				return fmt.Errorf("exit status %d: %s", status, output)
			}
			return contains(output, wants...)
		})
	}
	require.NoError(t, group.Wait())
}

// contains says what is missing in the output of a crash.
func contains(output string, wants ...string) error {
	if Silent() {
		return nil
	}
	for _, want := range wants {
		if !strings.Contains(output, want) {
			return fmt.Errorf("no %q in: %s", want, output)
		}
	}
	return nil
}
