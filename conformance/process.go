package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The process of a clause learns from these variables what it is for.
const (
	envTest    = "CONFORMANCE_TEST"    // name of the test that called Run or Examine
	envSubject = "CONFORMANCE_SUBJECT" // name of the subject
	envClause  = "CONFORMANCE_CLAUSE"  // name of the clause
	envVerdict = "CONFORMANCE_VERDICT" // file for the verdict
)

// An ending is what is known of a process that has ended.
type ending struct {
	verdict verdict
	hung    bool   // killed because its time was up
	code    int    // exit status
	output  string // of both streams
}

// examine runs the clause in a process of its own and grades what was seen.
func examine(t *testing.T, test string, s Subject, c Clause) Result {
	t.Helper()
	for _, need := range c.needs {
		if !s.can(need) {
			return Result{Clause: c, Outcome: NotApplicable, Reason: fmt.Sprintf("the pool has no %s", need)}
		}
	}
	end, err := start(t.Context(), test, s, c, filepath.Join(t.TempDir(), "verdict"))
	if err != nil {
		t.Fatalf("conformance: the process of clause %s: %v", c.Name, err)
	}
	if testing.Verbose() && end.output != "" {
		t.Log(end.output)
	}
	return grade(s, c, c.judge(end))
}

// start runs the process of a clause until it ends or its time is up.
func start(ctx context.Context, test string, s Subject, c Clause, file string) (ending, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return ending{}, err
	}
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "-test.run="+exactly(test), "-test.count=1", "-test.timeout=0",
		fmt.Sprint("-test.cpu=", runtime.GOMAXPROCS(0)))
	cmd.Env = append(os.Environ(), raceOptions(), envTest+"="+test, envSubject+"="+s.Name,
		envClause+"="+c.Name, envVerdict+"="+file)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		return ending{}, err
	}
	end := ending{hung: ctx.Err() != nil, code: cmd.ProcessState.ExitCode(), output: output.String()}
	end.verdict, err = readVerdict(file)
	return end, err
}

// raceOptions keeps the race detector from sleeping for a second in os.Exit: a
// crash that should have been swallowed would be seen after all.
func raceOptions() string { return "GORACE=" + os.Getenv("GORACE") + " atexit_sleep_ms=0" }

// exactly returns the pattern that selects the test with this name alone.
func exactly(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// readVerdict reads what the process left in the file. A process that crashed
// before its trial began left none.
func readVerdict(file string) (v verdict, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return verdict{Step: "starting"}, nil
	}
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("verdict %q: %w", text, err)
	}
	return v, nil
}

// failed returns what the trial found to be wrong, or that it did not end.
func (e ending) failed() string {
	if e.hung && e.verdict.Reason == "" {
		return fmt.Sprintf("hung while %s", e.verdict.Step)
	}
	return e.verdict.Reason
}

// byVerdict judges a process that should have lived to tell its verdict.
func byVerdict(e ending) string {
	switch crash := crashLine(e.output); {
	case e.failed() != "":
		return e.failed()
	case e.code == 0 && e.verdict.Passed:
		return ""
	case crash != "":
		return fmt.Sprintf("crashed while %s: %s", e.verdict.Step, crash)
	default:
		return fmt.Sprintf("ended with status %d while %s", e.code, e.verdict.Step)
	}
}

// crashLine returns the line of the output that says why the process crashed.
func crashLine(output string) string {
	for line := range strings.Lines(output) {
		for _, start := range []string{"panic: ", "fatal error: ", "race: ", "WARNING: DATA RACE"} {
			if strings.HasPrefix(line, start) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// byCrash judges a process that should have crashed as a panic in a plain
// goroutine makes it crash.
func byCrash(e ending) string {
	switch {
	case e.failed() != "":
		return e.failed()
	case e.code != crashStatus:
		return fmt.Sprintf("the process ended with status %d, not %d, while %s", e.code, crashStatus, e.verdict.Step)
	case !strings.Contains(e.output, crashText):
		return fmt.Sprintf("the process crashed without printing the panic: %q", crashLine(e.output))
	case !strings.Contains(e.output, crashFunction):
		return "the crash does not show the stack of the task"
	}
	return ""
}

// byDeadlock judges a process that should have ended because nothing in its
// bubble could ever happen again.
func byDeadlock(e ending) string {
	switch {
	case e.verdict.Reason != "":
		return e.verdict.Reason
	case e.hung:
		return fmt.Sprintf("it kept waking up while %s", e.verdict.Step)
	case !strings.Contains(e.output, "all goroutines in bubble are blocked"):
		return fmt.Sprintf("ended with status %d while %s: %s", e.code, e.verdict.Step, crashLine(e.output))
	}
	return ""
}
