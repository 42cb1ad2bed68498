package peers_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/peers"
	"github.com/stretchr/testify/require"
)

const (
	document = "../RESULTS.md"
	command  = "go -C conformance/peers test -run '^TestMatrix$' -timeout 60m -args -write"
)

var (
	write = flag.Bool("write", false, "examine the peers by every clause and write "+document)
	only  = flag.String("clause", "", "examine the peers by the clause of this `name` too; see -v")
)

// basics are the clauses that every subject must pass, or its adapter is wrong.
var basics = map[string]bool{"runs-every-task": true, "waits-for-no-task": true, "never-blocks": true}

// TestMatrix examines the peers. Without -write it only checks that their adapters
// work: how the peers do may change.
func TestMatrix(t *testing.T) {
	var m peers.Matrix
	for _, s := range peers.Subjects() {
		t.Run(s.Name, func(t *testing.T) {
			c := peers.Column{Subject: s}
			for _, clause := range conformance.Clauses() {
				if *write || basics[clause.Name] || clause.Name == *only {
					c.Results = append(c.Results, conformance.Examine(t, s, clause))
				}
				if clause.Name == *only {
					r := c.Results[len(c.Results)-1]
					t.Logf("%s: %s: %s; %s", clause.Name, r.Outcome, r.Reason, r.Seen)
				}
			}
			m.Columns = append(m.Columns, c)
		})
	}
	requireBasics(t, m)
	if *write && !t.Failed() {
		writeDocument(t, m)
	}
}

func requireBasics(t *testing.T, m peers.Matrix) {
	t.Helper()
	for _, c := range m.Columns {
		for _, r := range c.Results {
			if basics[r.Clause.Name] {
				require.Equal(t, conformance.Pass, r.Outcome, "%s: %s: %s", c.Subject.Name, r.Clause.Name, r.Reason)
			}
		}
	}
}

func writeDocument(t *testing.T, m peers.Matrix) {
	t.Helper()
	versions := moduleVersions(t)
	for i, c := range m.Columns {
		m.Columns[i].Version = versionOf(versions, c.Subject.Package)
	}
	m.Made = made()
	require.NoError(t, os.MkdirAll(filepath.Dir(document), 0o755))
	f, err := os.Create(document)
	require.NoError(t, err)
	_, err = m.WriteTo(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func made() string {
	return fmt.Sprintf(`The contract of an elastic, unbounded goroutine pool as a suite of named clauses
([conformance](.)), run against hemlock and against its peers.

- command: %s
- date: %s
- with: %s, %s/%s, GOMAXPROCS %d

Each pool is configured as near to the contract as its options allow, without a
bound on its workers. Submit and Shutdown stand for the pool's own calls, as its
[adapter](peers) makes them. n/a means that the pool does not have
the feature, or that its documentation does not promise the clause or excludes
it; silence is read in its favour. Every clause was examined once, in a process of its own. Some faults
are races: a pass says that none was seen in this run.`,
		"`"+command+"`", time.Now().UTC().Format(time.DateOnly),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
}

// moduleVersions asks the go command for the versions of the modules; a test
// binary does not know them.
func moduleVersions(t *testing.T) map[string]string {
	t.Helper()
	list, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all").Output()
	require.NoError(t, err)
	versions := map[string]string{}
	for line := range strings.Lines(string(list)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		versions[path] = version
	}
	return versions
}

// versionOf returns the version of the module that holds the package.
func versionOf(versions map[string]string, pkg string) string {
	for path := pkg; path != "."; path = filepath.Dir(path) {
		if v, known := versions[path]; known && v != "" {
			return strings.TrimPrefix(v, "v")
		}
		if strings.HasPrefix(path, "example.com/hemlock") {
			return "this tree"
		}
	}
	return runtime.Version()
}

func TestWaiversNameClauses(t *testing.T) {
	names := map[string]bool{}
	for _, c := range conformance.Clauses() {
		names[c.Name] = true
	}
	for _, s := range peers.Subjects() {
		for name, reason := range s.Waived {
			require.True(t, names[name], "%s waives %s, which is no clause", s.Name, name)
			require.NotEmpty(t, reason, "%s: %s", s.Name, name)
		}
	}
}

func TestHemlockWaivesNothing(t *testing.T) {
	hemlock := peers.Subjects()[0]
	require.Equal(t, "hemlock", hemlock.Name)
	require.Empty(t, hemlock.Waived)
}

func TestDocumentHoldsEveryClauseAndPool(t *testing.T) {
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	for _, c := range conformance.Clauses() {
		require.Contains(t, string(text), "\n| "+c.Name+" | pass |", "write it anew: %s", command)
		require.Contains(t, string(text), "- **"+c.Name+"**: "+c.Promise+"\n")
	}
	for _, s := range peers.Subjects() {
		require.Contains(t, string(text), "\n| "+s.Name+" | ")
	}
}

func TestMatrixTellsOutcomesAndReasons(t *testing.T) {
	clause := conformance.Clauses()[0]
	column := func(name string, r conformance.Result) peers.Column {
		r.Clause = clause
		return peers.Column{Subject: conformance.Subject{Name: name}, Results: []conformance.Result{r}}
	}
	m := peers.Matrix{Made: "once", Columns: []peers.Column{
		column("good", conformance.Result{Outcome: conformance.Pass}),
		column("bad", conformance.Result{Outcome: conformance.Fail, Reason: "lost it"}),
		column("other", conformance.Result{Outcome: conformance.NotApplicable, Reason: "silent", Seen: "lost", Examined: true}),
	}}
	var b strings.Builder
	_, err := m.WriteTo(&b)
	require.NoError(t, err)
	for _, part := range []string{
		"| " + clause.Name + " | pass | **fail** | n/a |\n",
		"### bad\n\n- " + clause.Name + ": lost it\n",
		"### other\n\n- silent: " + clause.Name + " (✗)\n",
		"| bad |  | 0 | 1 | 0 |\n",
	} {
		require.Contains(t, b.String(), part)
	}
}
