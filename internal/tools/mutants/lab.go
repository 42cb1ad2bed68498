package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A verdict is what became of a mutant.
type verdict int

const (
	killed        verdict = iota
	survives              // no test noticed
	equivalent            // none can, says the list
	notEquivalent         // one did, whatever the list says
	invalid               // it does not compile
)

func (v verdict) String() string {
	return [...]string{"killed", "survives", "equivalent", "not equivalent", "does not compile"}[v]
}

// A stage is a package whose tests a mutant must outlive, and how they are built
// and run.
type stage struct {
	dir   string
	build []string
	long  bool   // the long run of the tests
	racy  bool   // built with the race detector
	run   string // the tests that run, as a pattern

	once   sync.Once     // guards the first run without a mutant
	binary string        // of the tests without a mutant
	usual  time.Duration // that they take
	pause  time.Duration // the longest between two tests that begin or end
	err    error         // that they fail with
}

func (s *stage) String() string {
	words := append([]string{"./" + s.dir}, s.build...)
	if s.long {
		words = append(words, "long")
	}
	return strings.Join(words, " ")
}

// stages returns the stages, those that kill most in a second first. The long run comes
// last, and the race detector after it: few mutants see either.
func stages() []*stage {
	return []*stage{
		{dir: "."},
		{dir: "internal/fuzz"},
		{dir: "internal/endings"},
		{dir: "conformance", run: "^TestConformance$"},
		{dir: "internal/handoff"},
		{dir: "internal/panics"},
		{dir: ".", long: true},
		{dir: "internal/handoff", long: true},
		{dir: ".", build: []string{"-race"}, racy: true},
		{dir: "internal/handoff", build: []string{"-race"}, racy: true},
	}
}

// A lab is where mutants are built and tested, one or several at a time.
type lab struct {
	root, dir string
	stages    []*stage
	least     patience // with any mutant
}

func newLab(root string) (*lab, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	return &lab{root: root, dir: dir, stages: stages(), least: patience{time.Minute, 4 * time.Second}}, nil
}

// prepare builds the tests without a mutant and sees how long they take, before the
// first mutant comes to the stage. Tests that fail without a mutant would kill all
// mutants.
func (l *lab) prepare(ctx context.Context, s *stage) error {
	s.once.Do(func() {
		s.binary = filepath.Join(l.dir, strings.NewReplacer("/", "_", " ", "_").Replace(s.String())+".whole")
		if out, err := l.build(ctx, s, s.binary, ""); err != nil {
			s.err = fmt.Errorf("%v: %w\n%s", s, err, out)
			return
		}
		begin := time.Now()
		out, err := l.run(ctx, s, s.binary, patience{10 * time.Minute, 10 * time.Minute})
		for tries := 1; err != nil && tries < 3 && ctx.Err() == nil; tries++ {
			fmt.Printf("%v: %s fails without a mutant, and will kill some; again\n", s, out.cause())
			begin = time.Now()
			out, err = l.run(ctx, s, s.binary, patience{10 * time.Minute, 10 * time.Minute})
		}
		if err != nil {
			s.err = fmt.Errorf("%v without a mutant: %w\n%s", s, err, out.text())
		}
		s.usual, s.pause = time.Since(begin), out.longest
	})
	return s.err
}

func (l *lab) close() error { return os.RemoveAll(l.dir) }

// order returns the stages in the order for the mutant: of quick, long and racy ones
// each, those of its own package first.
func (l *lab) order(m *mutant) []*stage {
	rank := func(s *stage) (rank int) {
		if s.dir != path.Dir(m.file) {
			rank++
		}
		if s.long {
			rank += 2
		}
		if s.racy {
			rank += 4
		}
		return rank
	}
	ordered := slices.Clone(l.stages)
	slices.SortStableFunc(ordered, func(a, b *stage) int { return rank(a) - rank(b) })
	return ordered
}

// examine returns what becomes of the mutant, and by which test.
func (l *lab) examine(ctx context.Context, m *mutant) (v verdict, by string, err error) {
	dir, err := os.MkdirTemp(l.dir, "mutant-")
	if err != nil {
		return survives, "", err
	}
	defer os.RemoveAll(dir)
	overlay, err := l.overlay(dir, m)
	if err != nil {
		return survives, "", err
	}
	for _, s := range l.order(m) {
		if err := l.prepare(ctx, s); err != nil {
			return survives, "", err
		}
		binary := filepath.Join(dir, "tests")
		if out, err := l.build(ctx, s, binary, overlay); err != nil {
			// Only a compiler that complains of the mutant makes it invalid.
			if ctx.Err() == nil && bytes.Contains(out, []byte("mutant.go:")) {
				return invalid, ": " + firstLine(out, "mutant.go:"), nil
			}
			return survives, "", fmt.Errorf("%v: %v: %w\n%s", m, s, err, out)
		}
		dead, by, err := l.outlives(ctx, s, binary)
		if err != nil || dead {
			return killed, by, err
		}
	}
	return survives, "", nil
}

// overlay writes the mutant and tells the go command to read it.
func (l *lab) overlay(dir string, m *mutant) (string, error) {
	changed := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(changed, m.source, 0o644); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(l.root, filepath.FromSlash(m.file)): changed,
	}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o644)
}

// A patience says when tests hang: when they take longer than whole, or when no test
// begins or ends for as long as pause.
type patience struct{ whole, pause time.Duration }

func (p patience) times(n time.Duration) patience { return patience{n * p.whole, n * p.pause} }

// outlives runs the tests once and says whether, and by what, the mutant died. A mutant
// that hangs dies, too, but not on a machine that was slow for a while. So the test
// that hung is then run without the mutant. If that takes as long, or fails, the mutant
// is tried again. A mutant that hangs three times dies.
func (l *lab) outlives(ctx context.Context, s *stage, binary string) (dead bool, by string, err error) {
	p := patience{max(l.least.whole, 8*s.usual), max(l.least.pause, 20*s.pause)}
	for tries := 1; ; tries++ {
		out, err := l.run(ctx, s, binary, p)
		switch {
		case ctx.Err() != nil:
			return false, "", ctx.Err()
		case err == nil:
			return false, "", nil
		case !errors.Is(err, errHangs):
			return true, fmt.Sprintf(": %v: %s", s, out.cause()), nil
		}
		if tries == 3 || !l.machineIsSlow(ctx, s, out.cause(), p.pause/4) {
			return true, fmt.Sprintf(": %v: %s hangs", s, out.cause()), ctx.Err()
		}
		p = p.times(3)
	}
}

// machineIsSlow reports whether the test without a mutant now takes that long. A test
// that fails, though it has passed before, says as little of the mutant.
func (l *lab) machineIsSlow(ctx context.Context, s *stage, test string, long time.Duration) bool {
	begin := time.Now()
	_, err := l.run(ctx, s, s.binary, patience{10 * time.Minute, 10 * time.Minute}, "-test.run=^"+strings.ReplaceAll(test, "/", "$/^")+"$")
	if err != nil && ctx.Err() == nil {
		fmt.Printf("%v: %s fails without a mutant, after a mutant hung in it\n", s, test)
	}
	return err != nil || time.Since(begin) > long
}

func (l *lab) build(ctx context.Context, s *stage, binary, overlay string) ([]byte, error) {
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}
	args = append(args, s.build...)
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+s.dir)...)
	cmd.Dir = l.root
	return cmd.CombinedOutput()
}

var errHangs = errors.New("hangs")

// memory is how much address space the tests of a mutant may take, in KiB. A mutant
// that spawns or keeps without end should die of it, and not the machine.
const memory = 6 << 20

// run runs the tests. They have no deadline of their own: so the runtime finds out at
// once that all goroutines are asleep.
func (l *lab) run(ctx context.Context, s *stage, binary string, p patience, flags ...string) (*output, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.whole, errHangs)
	defer cancel()
	ctx, hangs := context.WithCancelCause(ctx)
	defer hangs(nil)
	limit := fmt.Sprintf("ulimit -v %d; ", memory)
	if s.racy {
		limit = "" // the race detector reserves far more
	}
	args := []string{"-c", limit + `exec "$0" "$@"`, binary, "-test.failfast", "-test.v", "-test.timeout=0", "-test.run=" + s.run}
	cmd := exec.CommandContext(ctx, "sh", append(args, flags...)...)
	cmd.Dir = filepath.Join(l.root, s.dir)
	long := ""
	if s.long {
		long = "1"
	}
	cmd.Env = append(os.Environ(), "GOMEMLIMIT=2GiB", "GOTRACEBACK=single", "HEMLOCK_TEST_LONG="+long)
	// A test may start children, which must go, too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	out := &output{last: time.Now(), pause: p.pause}
	out.watchdog = time.AfterFunc(p.pause, func() { hangs(errHangs) })
	defer out.watchdog.Stop()
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out, err
}

// An output is what tests print, and the longest pause between two of their
// reports.
type output struct {
	pause    time.Duration // after which the watchdog barks
	watchdog *time.Timer

	mu      sync.Mutex
	buffer  bytes.Buffer
	last    time.Time
	longest time.Duration
}

// enough is how much of an output is kept: a crash may print 10,000 stacks.
const enough = 4 << 20

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watchdog.Reset(o.pause)
	o.longest = max(o.longest, time.Since(o.last))
	o.last = time.Now()
	if o.buffer.Len() < enough {
		o.buffer.Write(b)
	}
	return len(b), nil
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

var (
	failed  = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	started = regexp.MustCompile(`(?m)^=== RUN\s+(\S+)`)
)

// cause returns the test that failed, or the one that began last.
func (o *output) cause() string {
	text := o.text()
	pattern := failed
	if !failed.MatchString(text) {
		pattern = started
	}
	matches := pattern.FindAllStringSubmatch(text, -1)
	if len(matches) == 0 {
		return "no test"
	}
	return matches[len(matches)-1][1]
}

// firstLine returns the first line that has the word.
func firstLine(out []byte, word string) string {
	for line := range strings.Lines(string(out)) {
		if _, after, ok := strings.Cut(line, word); ok {
			return strings.TrimSpace(after)
		}
	}
	return ""
}
