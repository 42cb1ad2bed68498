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

func TestResultsAreReadAsTheyWereWritten(t *testing.T) {
	want := Machine{Go: "go1.26", CPUs: 2, Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Command: "a <b>", Commit: "0123456789ab+changes"}
	packed, err := Pack(want)
	require.NoError(t, err)
	folder := t.TempDir()
	for name, data := range map[string][]byte{"x.json.gz": packed, "x.json": []byte(`{"go": "go1.26"}`)} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), data, 0o600))
	}
	var got Machine
	require.NoError(t, Read(filepath.Join(folder, "x.json.gz"), &got))
	require.Equal(t, want, got)
	got = Machine{}
	require.NoError(t, Read(filepath.Join(folder, "x.json"), &got))
	require.Equal(t, Machine{Go: "go1.26"}, got)
}

func TestReadNamesTheFileThatIsNoResult(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"broken.json", "broken.json.gz"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("{"), 0o600))
		require.ErrorContains(t, Read(filepath.Join(folder, name), &Machine{}), name)
	}
	require.ErrorIs(t, Read(filepath.Join(folder, "missing.json"), &Machine{}), os.ErrNotExist)
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
	out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X example.com/hemlock/internal/figures.commit=0123456789ab", "-o", program, "./testdata/program").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir = t.TempDir()
	out, err = cmd.CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, "0123456789ab\n", string(out))
}

func TestBlockStandsBetweenItsMarksAndNamesItsOrigins(t *testing.T) {
	m := Machine{Go: "go1.26", OS: "linux", Arch: "amd64", CPU: "A Processor", CPUs: 2, Commit: "0123456789ab", Command: "go run " + strings.Repeat("word ", 30) + "end"}
	text := Block("some", "| a |", m.Origin(), "and more")
	require.True(t, strings.HasPrefix(text, "<!-- figures: some -->\n| a |\n\nMeasured by `go run word "), text)
	require.True(t, strings.HasSuffix(text, "\n\nand more\n<!-- end of figures -->\n"), text)
	require.Contains(t, strings.Join(strings.Fields(text), " "), "word end`: commit 0123456789ab, go1.26 linux/amd64, A Processor, 2 processors, 0001-01-01.")
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, len(line), 120)
	}
}

func TestMedianIsTheMiddleValueOrTheMeanOfTheMiddleTwo(t *testing.T) {
	require.Equal(t, Spread{Median: 2, Min: 1, Max: 9, N: 3}, Summarize([]float64{9, 1, 2}))
	require.Equal(t, Spread{Median: 3, Min: 1, Max: 9, N: 4}, Summarize([]float64{4, 9, 1, 2}))
	require.Equal(t, Spread{Median: 5, Min: 5, Max: 5, N: 1}, Summarize([]float64{5}))
}

func TestDurationsHaveThreeDigitsOrSo(t *testing.T) {
	require.Equal(t, "999ns", Nanoseconds(999))
	require.Equal(t, "1.2µs", Nanoseconds(1234))
	require.Equal(t, "1.23ms", Nanoseconds(1_234_567))
	require.Equal(t, "123.5ms", Nanoseconds(123_456_789))
}
