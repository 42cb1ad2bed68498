package figures

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A result is a report of one line.
type result struct {
	Machine Machine
	Plot    string `json:"-"`
}

func (r result) Tables() string { return "| " + r.Machine.Go + " |\n" }

func (r result) Plots() []File {
	if r.Plot == "" {
		panic("cannot be drawn")
	}
	return []File{{"plot.svg", []byte(r.Plot)}}
}

func TestResultsAreReadAsTheyWerePublished(t *testing.T) {
	want := result{Machine: Machine{
		Go: "go1.26", CPUs: 2, Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Command: "a <b>", Commit: "0123456789ab+changes",
	}, Plot: "<svg>"}
	folder := filepath.Join(t.TempDir(), "new")
	var out strings.Builder
	require.NoError(t, Publish(want, folder, &out))
	require.Equal(t, want.Tables(), out.String())
	for name, text := range map[string]string{"results.md": want.Tables(), "plot.svg": want.Plot} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Equal(t, text, string(data))
	}
	got, err := Read[result](filepath.Join(folder, "results.json.gz"))
	require.NoError(t, err)
	require.Equal(t, want.Machine, got.Machine)

	require.NoError(t, os.WriteFile(filepath.Join(folder, "x.json"), []byte(`{"Machine": {"go": "go1.26"}}`), 0o600))
	got, err = Read[result](filepath.Join(folder, "x.json"))
	require.NoError(t, err)
	require.Equal(t, Machine{Go: "go1.26"}, got.Machine)

	require.NoError(t, Publish(result{}, "", &out), "without a folder nothing is drawn")
	require.PanicsWithValue(t, "cannot be drawn", func() { _ = Publish(result{}, filepath.Join(folder, "x"), &out) })
	require.FileExists(t, filepath.Join(folder, "x", "results.json.gz"), "which must not cost the figures")
}

func TestReadNamesTheFileThatIsNoResult(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"broken.json", "broken.json.gz"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("{"), 0o600))
		_, err := Read[Machine](filepath.Join(folder, name))
		require.ErrorContains(t, err, name)
	}
	_, err := Read[Machine](filepath.Join(folder, "missing.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestCommandIsQuotedAndDoesNotSayWhereTheFilesGo(t *testing.T) {
	for want, args := range map[string][]string{
		"run":                            nil,
		"run -quick":                     {"-out", "/somewhere", "-quick"},
		"run -rounds 3":                  {"-rounds", "3", "-out=/somewhere", "--out", "x"},
		"run -loads '^empty, 1|never' x": {"-loads", "^empty, 1|never", "x", "-out"},
	} {
		require.Equal(t, want, command("run", args))
	}
}

// repository makes a repository with one commit and changes to its directory.
func repository(t *testing.T) (git func(args ...string) string) {
	t.Helper()
	t.Chdir(t.TempDir())
	git = func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=x", "-c", "user.email=x"}, args...)...).CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	require.NoError(t, os.MkdirAll("below", 0o700))
	require.NoError(t, os.WriteFile("below/x.go", []byte("package x\n"), 0o600))
	git("add", ".")
	git("commit", "-q", "-m", "first")
	return git
}

func TestCommitSaysWhetherTheCodeHasChanged(t *testing.T) {
	git := repository(t)
	head := git("rev-parse", "--short=12", "HEAD")
	require.Equal(t, head, current())
	require.NoError(t, os.WriteFile("results.md", []byte("a result is no code"), 0o600))
	require.Equal(t, head, current())
	require.NoError(t, os.WriteFile("below/x.go", []byte("package y\n"), 0o600))
	require.Equal(t, head+"+changes", current())
	t.Chdir("below")
	require.Equal(t, head+"+changes", current(), "seen from anywhere")
	git("commit", "-q", "-a", "-m", "second")
	require.NotEqual(t, head, current())
	require.NotContains(t, current(), "+")
	require.NoError(t, os.WriteFile("new.go", nil, 0o600))
	require.Contains(t, current(), "+changes", "a file that git does not know is code too")
}

func TestCommitIsUnknownOutsideOfARepository(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GIT_CEILING_DIRECTORIES", "/")
	t.Setenv("GIT_DIR", "none")
	require.Empty(t, current())
	require.Contains(t, Machine{}.Place(), "commit not recorded, ")
}

func TestProgramThatRunsElsewhereKeepsItsCommit(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X example.com/hemlock/bench/internal/figures.commit=0123456789ab", "-o", program, "./testdata/program").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir = t.TempDir()
	out, err = cmd.CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, "0123456789ab\n", string(out))
}

func TestMedianIsTheMiddleValueOrTheMeanOfTheMiddleTwo(t *testing.T) {
	for want, values := range map[Spread][]float64{
		{Median: 2, Min: 1, Max: 9, N: 3}: {9, 1, 2},
		{Median: 3, Min: 1, Max: 9, N: 4}: {4, 9, 1, 2},
		{Median: 5, Min: 5, Max: 5, N: 1}: {5},
	} {
		got, ok := Summarize(values)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	_, ok := Summarize(nil)
	require.False(t, ok)
}

func TestRatiosAreToTheBaseOfTheSameRound(t *testing.T) {
	rounds, base := Rounds{0: 200, 1: 300, 2: 12, 3: 900, 4: 900}, Rounds{0: 100, 1: 1000, 2: 10, 4: 0}
	got, ok := rounds.Over(base)
	require.True(t, ok)
	require.Equal(t, Spread{Median: 1.2, Min: 0.3, Max: 2, N: 3}, got, "not that of the medians; two rounds have no base")
	_, ok = rounds.Over(nil)
	require.False(t, ok)
}

func TestQuantileIsTheSmallestValueThatEnoughOthersDoNotExceed(t *testing.T) {
	var durations []time.Duration
	for i := range 1000 {
		durations = append(durations, time.Duration(1000-i))
	}
	require.Equal(t, []time.Duration{500, 990, 999, 1000}, Quantiles(durations, 0.5, 0.99, 0.999, 1))
	require.Equal(t, []time.Duration{2, 3}, Quantiles([]time.Duration{1, 2, 3}, 0.5, 0.99))
	require.Equal(t, []time.Duration{7, 7}, Quantiles([]time.Duration{7}, 0.5, 0.999))
	require.Equal(t, []time.Duration{0}, Quantiles(nil, 0.5))
}

func TestDurationsHaveThreeDigitsOrSo(t *testing.T) {
	require.Equal(t, "999ns", Nanoseconds(999))
	require.Equal(t, "1.2µs", Nanoseconds(1234))
	require.Equal(t, "1.23ms", Nanoseconds(1_234_567))
	require.Equal(t, "123.5ms", Nanoseconds(123_456_789))
}
