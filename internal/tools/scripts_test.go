package tools_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// run runs a script of the checkout, with its environment changed, and returns
// what it prints and its status.
func run(t *testing.T, env []string, script string, args ...string) (output string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join("../..", script), args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); !failed {
		require.NoError(t, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// programs makes a directory of programs, each a shell script, beside those that
// each system has.
func programs(t *testing.T, scripts map[string]string) (path string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bash", "cat", "dirname", "mktemp", "rm", "tail", "timeout"} {
		target, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	for name, script := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	return "PATH=" + dir
}

// A program that CI needs and lacks fails it, with one sentence for each program.
func TestCIFailsWithoutItsPrograms(t *testing.T) {
	const compiles = `cat >/dev/null; while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\n' >"$2"; /bin/chmod +x "$2"`
	for name, c := range map[string]struct {
		change map[string]string
		probe  string
		status int
		wants  []string
	}{
		"all there":               {nil, "/bin/true", 0, []string{"make check-all"}},
		"chromium does not start": {map[string]string{"chromium": "echo no display >&2; exit 1"}, "/bin/true", 1, []string{"ci: chromium does not start: no display. Debian's package chromium has it; without it nothing is proven of the page of the pool"}},
		"spin is missing":         {map[string]string{"spin": ""}, "/bin/true", 1, []string{"apt-get install -q -y --no-install-recommends spin", "ci: spin does not start", "not found"}},
		"gcc makes nothing":       {map[string]string{"gcc": "exit 0"}, "/bin/true", 1, []string{"ci: gcc does not start", "libc6-dev"}},
		"nothing is installed":    {map[string]string{"dig": "", "node": "", "apt-get": "exit 100"}, "/bin/true", 1, []string{"ci: apt-get could not install bind9-dnsutils nodejs", "ci: dig does not", "ci: node does not"}},
		"no 32 bits, no emulator": {nil, "/bin/false", 1, []string{"--no-install-recommends qemu-user", "ci: qemu-arm does not start", "32-bit platforms"}},
		"no 32 bits, an emulator": {map[string]string{"qemu-arm": "exit 0"}, "/bin/false", 0, []string{"make check-all"}},
		"no Go":                   {map[string]string{"go": ""}, "/bin/true", 1, []string{"ci: go is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			scripts := map[string]string{
				"go": "exit 0", "gcc": compiles, "dig": "exit 0", "chromium": "exit 0", "spin": "exit 0", "node": "exit 0",
				"make": `echo make "$@"`, "apt-get": `echo apt-get "$@"`,
			}
			for program, script := range c.change {
				scripts[program] = script
				if script == "" {
					delete(scripts, program)
				}
			}
			output, status := run(t, []string{programs(t, scripts), "HEMLOCK_PROBE_386=" + c.probe}, ".ci/run")
			require.Equal(t, c.status, status, output)
			for _, want := range c.wants {
				require.Contains(t, output, want)
			}
			if status != 0 {
				require.NotContains(t, output, "make check-all")
			}
		})
	}
}

// A kernel that refuses 32-bit programs is told from one that runs them, and the
// emulator that is needed then is missed.
func TestProbeFor32Bits(t *testing.T) {
	foreign := filepath.Join(t.TempDir(), "foreign")
	require.NoError(t, os.WriteFile(foreign, []byte("\x7fELF no program"), 0o755))
	for program, want := range map[string]bool{"/bin/true": true, "/bin/false": false, foreign: false, foreign + "-missing": false} {
		_, status := run(t, []string{"HEMLOCK_PROBE_386=" + program}, "internal/tools/platforms", "has-386")
		require.Equal(t, want, status == 0, program)
	}
	output, status := run(t, []string{"HEMLOCK_PROBE_386=" + foreign, programs(t, nil)}, "internal/tools/platforms", "32bit")
	require.Equal(t, 1, status, output)
	require.Contains(t, output, "linux/arm instead")
	require.Contains(t, output, "qemu-arm is missing: install Debian's package qemu-user; without it nothing is proven of linux/arm")
}

// A vulnerability that is called is found. A database out of reach is reported, and is
// no failure.
func TestVulnerabilities(t *testing.T) {
	if _, err := os.Stat("../../bin/govulncheck"); err != nil {
		out, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "bin/govulncheck").CombinedOutput()
		require.NoError(t, err, string(out))
	}
	database := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(database, "GO-2000-0001.json"), []byte(strings.TrimSpace(`
{"schema_version": "1.3.1", "id": "GO-2000-0001", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
 "summary": "for a test", "affected": [{"package": {"name": "go.uber.org/atomic", "ecosystem": "Go"},
 "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
 "ecosystem_specific": {"imports": [{"path": "go.uber.org/atomic"}]}}]}`)), 0o644))
	output, status := run(t, nil, "internal/tools/vulnerabilities", "-db", "file://"+database)
	require.Equal(t, 1, status, output)
	require.Contains(t, output, "GO-2000-0001")

	output, status = run(t, nil, "internal/tools/vulnerabilities", "-db", "file://"+database+"/missing")
	require.Equal(t, 1, status, output)
	require.Contains(t, output, "was not examined")

	output, status = run(t, []string{"HTTPS_PROXY=http://127.0.0.1:1"}, "internal/tools/vulnerabilities")
	require.Zero(t, status, output)
	require.Contains(t, output, "the database could not be reached, so it is not proven")
}

// The documents name only tests and clauses that exist.
func TestNamedTestsExist(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "grep", "-hoE", `^func (Test|Example)\w+|clause\("[a-z-]+"`, "--", "*.go").Output()
	require.NoError(t, err)
	known := strings.Split(string(out), "\n")
	for _, document := range []string{"README.md", "docs/DESIGN.md", "docs/PITFALLS.md", "docs/SECURITY.md"} {
		text, err := os.ReadFile(filepath.Join("../..", document))
		require.NoError(t, err)
		names := regexp.MustCompile(`\b((?:Test|Example)[A-Z]\w*)(?:/([a-z-]+))?`).FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, names, document)
		for _, name := range names {
			require.Contains(t, known, "func "+name[1], document)
			if name[2] != "" {
				require.Contains(t, known, `clause("`+name[2]+`"`, document)
			}
		}
	}
}
