// Suites runs the tests of other libraries twice, as they are and with their go
// statements on a pool, and compares test by test. Of each library it takes a pinned
// version from Go's module cache into a temporary folder. The changes are an overlay of
// the go command, and projects.go has them.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	document = "../../conformance/README.md"
	begin    = "<!-- suites -->\n"
	end      = "<!-- end of suites -->\n"
	retries  = 20 // more tests than that are not run again
)

func main() {
	only := flag.String("only", "", "run the projects with a name that matches the regular expression, and keep the rows of the others")
	flag.Parse()
	if err := suites(regexp.MustCompile(*only)); err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(1)
	}
}

func suites(only *regexp.Regexp) error {
	var faults []error
	for _, p := range projects {
		if !only.MatchString(p.name) {
			continue
		}
		start := time.Now()
		row, err := p.row()
		fmt.Printf("%s(%.0f s)\n", row, time.Since(start).Seconds())
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.name, err))
		}
		data, err := os.ReadFile(document)
		if err != nil {
			return err
		}
		text, err := fill(string(data), p.name, row)
		if err != nil {
			return err
		}
		if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

// fill returns the document with the row of the project in its table, which stands
// between two marks and has the projects in their order. It keeps the other rows.
func fill(text, name, row string) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	old, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", errors.New(document + " has no place for the table")
	}
	table := "| library | version | tests | pass in both | fail in both | fail only with the pool | tasks, at least | with | what is a task, and what is missing |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
	for _, p := range projects {
		if p.name == name {
			table += row
		} else {
			table += regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(p.name) + ` \|.*\n`).FindString(old)
		}
	}
	return before + begin + table + end + after, nil
}

// row runs the suite and returns its row of the table. It fails unless the suite shows
// that nothing fails with the pool alone.
func (p project) row() (string, error) {
	l, err := newLab(p)
	defer os.RemoveAll(l.temp)
	if err != nil {
		return fmt.Sprintf("| %s | %s | | | | | | | could not be run |\n", p.name, p.version), err
	}
	withGo, withPool := l.test(false, p.run, p.packages...), l.test(true, p.run, p.packages...)
	again := toRepeat(compare(withGo, withPool).failsWithPool, withPool)
	if len(again) > retries {
		again = nil
	}
	for _, t := range again {
		withGo.replace(l.test(false, t.pattern(p.run), t.pkg), t)
		withPool.replace(l.test(true, t.pattern(p.run), t.pkg), t)
	}
	c, ran := compare(withGo, withPool), l.tasks()
	switch {
	case len(c.passes) == 0:
		err = errors.New("no test passes")
	case ran == 0:
		err = errors.New("no task was run on the pool")
	case len(c.failsWithPool) > 0:
		err = errors.New("fails only with the pool")
		for _, t := range c.failsWithPool {
			output := withPool.output[t]
			err = fmt.Errorf("%w\n--- %s %s\n%s", err, t.pkg, t.name, output[max(0, len(output)-4000):])
		}
	}
	healed := slices.DeleteFunc(again, func(t test) bool {
		return slices.ContainsFunc(c.failsWithPool, func(f test) bool { return f.top() == t })
	})
	note := p.note + list("skipped, since "+p.why, p.skip) + list("fail in both", c.fails) + list("fail only without the pool", c.failsWithGo) +
		list("failed once with the pool, and not when run again", healed)
	tests := len(c.passes) + len(c.fails) + len(c.failsWithPool) + len(c.failsWithGo)
	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %s, %s | %s |\n", p.name, l.version, tests, len(c.passes), len(c.fails), len(c.failsWithPool), ran,
		runtime.Version(), time.Now().UTC().Format(time.DateOnly), note), err
}

// list returns what is said of the tests, or nothing if there are none.
func list[T any](what string, tests []T) string {
	if len(tests) == 0 {
		return ""
	}
	return "; " + what + ": " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(tests)), ", "), "[]")
}

// A lab is a folder with the code of a project, and a temporary one with an overlay that
// has its edits.
type lab struct {
	project
	root, temp string
	env        []string
}

func newLab(p project) (l lab, err error) {
	l = lab{project: p}
	if l.temp, err = os.MkdirTemp("", "suites"); err != nil {
		return l, err
	}
	l.env = append(os.Environ(), "GOWORK=off", "SUITES_TASKS="+l.temp+"/tasks.")
	added := map[string][]byte{}
	if p.module == "" {
		l.version = runtime.Version()
		added, err = l.std()
	} else {
		err = l.fetch()
	}
	if err != nil {
		return l, err
	}
	changed, err := apply(p.edits, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(l.root, name)) })
	if err != nil {
		return l, err
	}
	maps.Copy(changed, added)
	replace := map[string]string{}
	for name, data := range changed {
		if p.module == "" {
			data = imports.ReplaceAll(data, []byte(`"internal/$1/`))
		}
		file := fmt.Sprintf("%s/%d.go", l.temp, len(replace))
		replace[filepath.Join(l.root, name)] = file
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return l, err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return l, err
	}
	return l, os.WriteFile(filepath.Join(l.temp, "overlay"), overlay, 0o600)
}

// fetch copies the module, and lets it require hemlock, which the code without the
// overlay does not use: the versions of its requirements are the same in both.
func (l *lab) fetch() error {
	out, err := l.output("go", "mod", "download", "-json", l.module+"@"+l.version)
	if err != nil {
		return err
	}
	var download struct{ Dir string }
	if err := json.Unmarshal(out, &download); err != nil {
		return err
	}
	l.root = filepath.Join(l.temp, "module")
	if err := os.CopyFS(l.root, os.DirFS(download.Dir)); err != nil {
		return err
	}
	hemlock, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	_, err = l.output("go", "mod", "edit", "-require=example.com/hemlock@v0.1.0", "-replace=example.com/hemlock="+hemlock)
	l.env = append(l.env, "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod")
	return err
}

// std returns hemlock and what it requires as packages of the standard library, since
// a package there imports no other.
func (l *lab) std() (map[string][]byte, error) {
	root, err := l.output("go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	out, err := l.output("go", "-C", "../..", "list", "-deps", "-f", `{{if not .Standard}}{{range .GoFiles}}{{$.Dir}}/{{.}} {{$.ImportPath}}/{{.}}{{"\n"}}{{end}}{{end}}`, ".")
	l.root = filepath.Join(strings.TrimSpace(string(root)), "src")
	files := map[string][]byte{}
	for line := range strings.Lines(string(out)) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		if files["internal/"+to], err = os.ReadFile(from); err != nil {
			return nil, err
		}
	}
	return files, err
}

// imports matches the imports of what is not in the standard library.
var imports = regexp.MustCompile(`"(example\.com|go\.uber\.org)/`)

func (l *lab) output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = l.root, l.env
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("%s: %w\n%s", cmd, err, failed.Stderr)
	}
	return out, err
}

// test runs tests of the packages. That some fail is no error, and what the go command
// does not print as an event is a failure of all.
func (l *lab) test(pool bool, run string, packages ...string) results {
	args := []string{"test", "-json", "-count=1", "-vet=off", "-timeout=30m", "-run=" + run, "-skip=^(" + strings.Join(l.skip, "|") + ")$"}
	if pool {
		args = append(args, "-overlay="+filepath.Join(l.temp, "overlay"))
	}
	out, err := l.output("go", append(args, packages...)...)
	got, malformed := parse(bytes.NewReader(out))
	if malformed != nil || len(out) == 0 {
		got.outcome = nil
		fmt.Fprintln(os.Stderr, "suites:", err, malformed)
	}
	return got
}

// tasks returns how many tasks the processes have told of.
func (l *lab) tasks() (n int) {
	files, _ := filepath.Glob(l.temp + "/tasks.*")
	for _, file := range files {
		data, _ := os.ReadFile(file) // without it there are fewer
		told, _ := strconv.Atoi(string(data))
		n += told
	}
	return n
}
