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
	document = "../conformance/README.md"
	begin    = "<!-- suites -->\n"
	end      = "<!-- end of suites -->\n"
	retries  = 20 // more tests than that are not run again
)

func main() {
	only := flag.String("only", "", "run the projects with a name that matches the regular expression")
	write := flag.Bool("write", false, "write the table to "+document)
	flag.Parse()
	if err := suites(regexp.MustCompile(*only), *write); err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(1)
	}
}

func suites(only *regexp.Regexp, write bool) error {
	var rows, notes strings.Builder
	var faults []error
	for _, p := range projects {
		if !only.MatchString(p.name) {
			continue
		}
		start := time.Now()
		row, note, err := p.compared()
		fmt.Fprintf(os.Stderr, "suites: %s: %.0f s\n", p.name, time.Since(start).Seconds())
		if err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
		}
		faults = append(faults, err)
		rows.WriteString(row)
		if len(p.skip) > 0 {
			note = " Skipped, since " + p.why + ": " + strings.Join(p.skip, ", ") + "." + note
		}
		notes.WriteString(wrap("- " + p.name + ": " + p.note + note))
	}
	table := "| library | version | tests | pass in both | fail in both | fail only with the pool | tasks, at least |\n" +
		"| --- | --- | --- | --- | --- | --- | --- |\n" + rows.String() + "\n" + notes.String() +
		fmt.Sprintf("\n%s %s/%s, %d processors, %s.\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	fmt.Print(table)
	if write {
		faults = append(faults, fill(document, table))
	}
	return errors.Join(faults...)
}

// compared runs the suite of the project with go and with the pool, and what fails with
// the pool alone once more.
func (p project) compared() (row, note string, err error) {
	l, err := newLab(p)
	if err != nil {
		return "", " Could not be run.", err
	}
	defer os.RemoveAll(l.temp)
	withGo, err := l.test(false, "", p.packages)
	if err != nil {
		return "", " Could not be run.", err
	}
	withPool, err := l.test(true, "", p.packages)
	if err != nil {
		return "", " Could not be run with the pool.", err
	}
	again := toRepeat(compare(withGo, withPool).failsWithPool, withPool)
	if len(again) > retries {
		again = nil
	}
	for _, t := range again {
		pattern := ""
		if t.name != "" {
			pattern = "^" + t.name + "$"
		}
		for pool, r := range map[bool]results{false: withGo, true: withPool} {
			alone, err := l.test(pool, pattern, []string{t.pkg})
			if err != nil {
				return "", "", err
			}
			r.replace(alone, t)
		}
	}
	c := compare(withGo, withPool)
	ran, err := l.tasks()
	switch {
	case err != nil:
	case len(c.passes) == 0:
		err = errors.New("no test passes")
	case ran == 0:
		err = errors.New("no task was run on the pool")
	case len(c.failsWithPool) > 0:
		err = fmt.Errorf("fail only with the pool: %s", names(c.failsWithPool))
		for _, t := range c.failsWithPool {
			if output := withPool.output[t]; output != "" {
				fmt.Fprintf(os.Stderr, "--- %s %s\n%s\n", t.pkg, t.name, tail(output))
			}
		}
	}
	healed := slices.DeleteFunc(again, func(t test) bool {
		return slices.ContainsFunc(c.failsWithPool, func(f test) bool { return f.top() == t })
	})
	for _, list := range []struct {
		tests []test
		what  string
	}{
		{healed, "Failed once with the pool, and not when run again"},
		{c.fails, "Fail in both"},
		{c.failsWithGo, "Fail only without the pool"},
	} {
		if len(list.tests) > 0 {
			note += " " + list.what + ": " + names(list.tests) + "."
		}
	}
	tests := len(c.passes) + len(c.fails) + len(c.failsWithPool) + len(c.failsWithGo)
	return fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d |\n", p.name, l.version, tests, len(c.passes), len(c.fails), len(c.failsWithPool), ran), note, err
}

func names(tests []test) string {
	var all []string
	for _, t := range tests {
		name := t.name
		if name == "" {
			name = "package " + t.pkg
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

// tail returns the end of an output.
func tail(output string) string {
	const lines = 40
	all := strings.Split(output, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
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
		l.root, l.version = filepath.Join(runtime.GOROOT(), "src"), runtime.Version()
		added, err = inStd()
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
			data = std(data)
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
	hemlock, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	_, err = l.output("go", "mod", "edit", "-require=example.com/hemlock@v0.1.0", "-replace=example.com/hemlock="+hemlock)
	l.env = append(l.env, "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod")
	return err
}

// inStd returns hemlock and what it requires as packages of the standard library, since
// a package there imports no other.
func inStd() (map[string][]byte, error) {
	out, err := exec.Command("go", "-C", "..", "list", "-deps", "-f", `{{if not .Standard}}{{range .GoFiles}}{{$.Dir}}/{{.}} {{$.ImportPath}}/{{.}}{{"\n"}}{{end}}{{end}}`, ".").Output()
	files := map[string][]byte{}
	for line := range strings.Lines(string(out)) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		if files["internal/"+to], err = os.ReadFile(from); err != nil {
			return nil, err
		}
	}
	return files, err
}

// std returns a file with the imports of hemlock and of what it requires changed.
func std(src []byte) []byte {
	return regexp.MustCompile(`"(example\.com|go\.uber\.org)/`).ReplaceAll(src, []byte(`"internal/$1/`))
}

func (l *lab) output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = l.root, l.env
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("%s: %w\n%s%s", cmd, err, tail(string(out)), failed.Stderr)
	}
	return out, err
}

// test runs tests of the packages. That some fail is no error.
func (l *lab) test(pool bool, run string, packages []string) (results, error) {
	args := []string{"test", "-json", "-count=1", "-vet=off", "-timeout=10m", "-run=" + run, "-skip=^(" + strings.Join(l.skip, "|") + ")$"}
	if pool {
		args = append(args, "-overlay="+filepath.Join(l.temp, "overlay"))
	}
	out, err := l.output("go", append(args, packages...)...)
	got, malformed := parse(bytes.NewReader(out))
	if malformed != nil {
		return got, errors.Join(malformed, err)
	}
	return got, nil
}

// tasks returns how many tasks the processes have told of.
func (l *lab) tasks() (n int, err error) {
	files, err := filepath.Glob(l.temp + "/tasks.*")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		told, err := strconv.Atoi(string(data))
		if err != nil {
			return 0, err
		}
		n += told
	}
	return n, err
}

// wrap breaks the lines of an item of a list between its words.
func wrap(item string) string {
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(item) {
		if length+1+len(word) > 118 {
			b.WriteString("\n ")
			length = 1
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
		length += 1 + len(word)
	}
	return b.String() + "\n"
}

// fill puts the table between the marks of the document.
func fill(document, table string) error {
	data, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(data), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s has no place for the table", document)
	}
	return os.WriteFile(document, []byte(before+begin+table+end+after), 0o600)
}
