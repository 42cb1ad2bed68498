package tools_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A tree is a repository with the scripts that look after the figures, a report of its
// first commit, and a document.
type tree struct {
	t    *testing.T
	path string
}

func planted(t *testing.T) tree {
	t.Helper()
	r := tree{t, t.TempDir()}
	for _, script := range []string{"internal/tools/figures", "internal/tools/figures-fresh"} {
		data, err := os.ReadFile(filepath.Join("../..", script))
		require.NoError(t, err)
		r.write(script, string(data))
		require.NoError(t, os.Chmod(filepath.Join(r.path, script), 0o700))
	}
	r.git("init", "-q")
	r.write("pool.go", "package x\n")
	r.write("internal/handoff/x.go", "package x\n")
	r.write("bench/results/without-effect.txt", "# nothing\n")
	first := r.commit("first")
	r.write("bench/results/results.md", "- commit "+first+", made by x\n\n<!-- figures: callers -->\n| 1 |\n<!-- end of figures -->\n\nmore\n")
	r.write("README.md", "above\n<!-- figures: callers -->\n| 1 |\n<!-- end of figures -->\nbelow\n")
	r.commit("report")
	return r
}

func (r tree) git(args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", append([]string{"-c", "user.name=x", "-c", "user.email=x@y"}, args...)...)
	cmd.Dir = r.path
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, string(out))
	return strings.TrimSpace(string(out))
}

func (r tree) write(name, text string) {
	r.t.Helper()
	name = filepath.Join(r.path, name)
	require.NoError(r.t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(r.t, os.WriteFile(name, []byte(text), 0o600))
}

func (r tree) read(name string) string {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.path, name))
	require.NoError(r.t, err)
	return string(data)
}

func (r tree) replace(name, old, with string) {
	r.t.Helper()
	require.Contains(r.t, r.read(name), old)
	r.write(name, strings.ReplaceAll(r.read(name), old, with))
}

// commit commits everything, and returns the name that a report has for it.
func (r tree) commit(subject string) string {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "-m", subject)
	return r.git("rev-parse", "--short=12", "HEAD")
}

func (r tree) passes(script string, args ...string) string { return r.ends(0, script, args...) }

func (r tree) fails(script string, args ...string) string { return r.ends(1, script, args...) }

func (r tree) ends(want int, script string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), filepath.Join(r.path, script), args...)
	out, _ := cmd.CombinedOutput()
	require.Equal(r.t, want, cmd.ProcessState.ExitCode(), string(out))
	return string(out)
}

func TestDocumentsSayWhatTheReportsSay(t *testing.T) {
	r := planted(t)
	require.Empty(t, r.passes("internal/tools/figures", "-check"))
	before := r.read("README.md")
	r.replace("bench/results/results.md", "| 1 |", "| 2 |\n| 3 |\n\nMeasured by `x & y`.")
	require.Contains(t, r.fails("internal/tools/figures-fresh"), "README.md does not say what the reports say; run make figures")
	require.Equal(t, before, r.read("README.md"), "-check writes nothing")
	require.Empty(t, r.passes("internal/tools/figures"))
	require.Equal(t, strings.ReplaceAll(before, "| 1 |", "| 2 |\n| 3 |\n\nMeasured by `x & y`."), r.read("README.md"))
	require.Empty(t, r.passes("internal/tools/figures-fresh"))

	filled := r.read("README.md")
	for want, change := range map[string][2]string{
		`no report is the home of "lords"`: {"callers", "lords"},
		`the end of "callers" is missing`:  {"<!-- end of figures -->", ""},
		`has no table "servers"`:           {"callers", "servers"},
	} {
		r.write("README.md", strings.ReplaceAll(filled, change[0], change[1]))
		require.Contains(t, r.fails("internal/tools/figures", "-check"), want)
		require.Contains(t, r.fails("internal/tools/figures"), want)
		require.Equal(t, strings.ReplaceAll(filled, change[0], change[1]), r.read("README.md"), "it is left as it is")
	}
	r.write("README.md", filled)
	r.replace("bench/results/results.md", "figures: callers", "figures: other")
	require.Contains(t, r.fails("internal/tools/figures"), `bench/results/results.md has no table "callers"`)
}

func TestReportIsOlderThanWhatItMeasures(t *testing.T) {
	for _, name := range []string{"pool.go", "new.go", "internal/handoff/x.go", "bench/internal/load/all.go"} {
		r := planted(t)
		r.write(name, "package x\n\nvar x int // new\n")
		change := r.commit("change of x")
		out := r.fails("internal/tools/figures-fresh")
		require.Contains(t, out, "bench/results/results.md is of commit ", name)
		require.Contains(t, out, change[:7]+" change of x")

		r.write("bench/results/without-effect.txt", change[:7]+"\n")
		r.fails("internal/tools/figures-fresh") // there is no reason
		r.write("bench/results/without-effect.txt", change[:7]+" no effect: 1.02 and 1.01 by make bench\n")
		require.Empty(t, r.passes("internal/tools/figures-fresh"))

		r.write(name, "package x\n\nvar x int // newer\n")
		require.Contains(t, func() string { r.commit("another"); return r.fails("internal/tools/figures-fresh") }(), "another", "an entry is for one commit")
		r.replace("bench/results/results.md", "- commit ", "- commit "+r.git("rev-parse", "--short=12", "HEAD")+", not ")
		require.Empty(t, r.passes("internal/tools/figures-fresh"), "it was renewed")
	}
}

func TestWhatCannotChangeFiguresNeedsNoEntry(t *testing.T) {
	r := planted(t)
	r.write("pool.go", "// A comment.\npackage x\n\n\t// another\n")
	r.write("pool_test.go", "package x\n\nvar x int\n")
	r.write("internal/handoff/x_test.go", "package x\n\nvar x int\n")
	r.write("bench/internal/report/x.go", "package x\n\nvar x int\n")
	r.write("bench/servers/internal/x.go", "package x\n\nvar x int\n")
	r.write("docs/x.md", "text\n")
	r.commit("second")
	require.Empty(t, r.passes("internal/tools/figures-fresh"))
	r.write("pool.go", "package x /* a comment */ ; var x int\n")
	r.commit("code")
	require.Contains(t, r.fails("internal/tools/figures-fresh"), "code")
}

// A merge that changes what neither side has changed is a change too.
func TestMergeWithChangesOfItsOwn(t *testing.T) {
	r := planted(t)
	base := r.git("rev-parse", "--abbrev-ref", "HEAD")
	r.git("checkout", "-q", "-b", "side")
	r.write("side.md", "side\n")
	r.commit("side")
	r.git("checkout", "-q", base)
	r.write("main.md", "main\n")
	r.commit("main")
	r.git("merge", "-q", "--no-commit", "--no-ff", "side")
	r.write("pool.go", "package x\n\nvar x int\n")
	r.commit("merge of side")
	require.Contains(t, r.fails("internal/tools/figures-fresh"), "merge of side")
}

func TestReportWithoutACommitIsExemptOnlyByName(t *testing.T) {
	r := planted(t)
	report := r.read("bench/results/results.md")
	r.replace("bench/results/results.md", "- commit ", "- commit not recorded, ")
	require.Contains(t, r.fails("internal/tools/figures-fresh"), "bench/results/results.md names no commit")
	r.write("bench/results/without-effect.txt", "bench/results/results.md until renewed: published in 0123456\n")
	require.Contains(t, r.passes("internal/tools/figures-fresh"), "bench/results/results.md is not proven to be fresh: until renewed: published in 0123456")
	r.write("bench/results/results.md", report)
	require.Contains(t, r.fails("internal/tools/figures-fresh"), "need not exempt it any more")
}

func TestReportOfNoCommitOfTheHistory(t *testing.T) {
	r := planted(t)
	report := r.read("bench/results/results.md")
	r.replace("bench/results/results.md", ", made by", "+changes, made by")
	require.Contains(t, r.fails("internal/tools/figures-fresh"), "measured with changes that are in no commit")
	r.write("bench/results/results.md", report+"commit 0123456789ab")
	require.Contains(t, r.fails("internal/tools/figures-fresh"), "names commit 0123456789ab, which HEAD does not come from")

	r.write("bench/results/results.md", report)
	shallow := tree{t, filepath.Join(t.TempDir(), "shallow")}
	r.git("clone", "-q", "--depth=1", "file://"+r.path, shallow.path)
	require.Contains(t, shallow.passes("internal/tools/figures-fresh"), "so it is not proven that bench/results/results.md is fresh")
}
