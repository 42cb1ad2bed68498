package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// An edit changes one file of a project, so that it starts goroutines by hemlockRun,
// which the shim has.
type edit struct {
	file     string
	old, new string // a text that the file has once, and another; if both are "", each go statement becomes a task
}

// shim is a file for each package with edits; the first verb is the package's name. Its
// pool kills soon, since tests look for goroutines that are left. It tells how many tasks
// there were, rounded down to a power of two, in a file for each process.
const shim = `package %s

import (
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"example.com/hemlock"
)

var (
	hemlockPool  = hemlock.New(hemlock.WithKillDelay(0), hemlock.WithKillInterval(time.Millisecond))
	hemlockTasks atomic.Int64
)

func hemlockRun(task func()) {
	if n := hemlockTasks.Add(1); n&(n-1) == 0 {
		_ = os.WriteFile(os.Getenv("SUITES_TASKS")+strconv.Itoa(os.Getpid())+".%s", []byte(strconv.FormatInt(n, 10)), 0o666)
	}
	hemlockPool.Run(task)
}
`

// apply returns the files that the edits change or add, by name. It reads them with read.
func apply(edits []edit, read func(name string) ([]byte, error)) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, e := range edits {
		src, again := files[e.file]
		if !again {
			var err error
			if src, err = read(e.file); err != nil {
				return nil, err
			}
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), e.file, src, parser.PackageClauseOnly)
		if err != nil {
			return nil, err
		}
		if src, err = e.change(src); err != nil {
			return nil, fmt.Errorf("%s: %w", e.file, err)
		}
		files[e.file] = src
		files[filepath.Join(filepath.Dir(e.file), "hemlock_suites.go")] = fmt.Appendf(nil, shim, parsed.Name, parsed.Name)
	}
	return files, nil
}

func (e edit) change(src []byte) ([]byte, error) {
	if e.old == "" {
		return tasks(src)
	}
	if n := bytes.Count(src, []byte(e.old)); n != 1 {
		return nil, fmt.Errorf("%q is there %d times, and should be once", e.old, n)
	}
	return bytes.Replace(src, []byte(e.old), []byte(e.new), 1), nil
}

// tasks turns each go statement of a file into a task. The function and its arguments
// are evaluated where the statement stands, as the language has it: go f(x) becomes
// { hemlockF, hemlock0 := f, x; hemlockRun(func() { hemlockF(hemlock0) }) }. Where that
// does not compile, as with an argument that is a named constant, the suite says so.
func tasks(src []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	type cut struct {
		from, to token.Pos
		text     string
	}
	var cuts []cut
	ast.Inspect(file, func(n ast.Node) bool {
		g, ok := n.(*ast.GoStmt)
		if !ok {
			return true
		}
		names, words, end := []string{"hemlockF"}, []string{}, g.Call.Fun.End()
		for i, arg := range g.Call.Args {
			if text := string(src[arg.Pos()-file.FileStart : arg.End()-file.FileStart]); constant(arg) {
				cuts = append(cuts, cut{end, arg.End(), ""})
				words = append(words, text)
			} else {
				cuts = append(cuts, cut{end, arg.Pos(), ", "})
				names = append(names, fmt.Sprint("hemlock", i))
				words = append(words, names[len(names)-1])
			}
			end = arg.End()
		}
		call := "hemlockF(" + strings.Join(words, ", ")
		if g.Call.Ellipsis.IsValid() {
			call += "..."
		}
		cuts = append(cuts,
			cut{g.Go, g.Call.Fun.Pos(), "{ " + strings.Join(names, ", ") + " := "},
			cut{end, g.Call.Rparen + 1, "; hemlockRun(func() { " + call + ") }) }"})
		return true
	})
	if len(cuts) == 0 {
		return nil, fmt.Errorf("no go statement")
	}
	slices.SortFunc(cuts, func(a, b cut) int { return int(b.from - a.from) })
	for _, c := range cuts {
		src = slices.Concat(src[:c.from-file.FileStart], []byte(c.text), src[c.to-file.FileStart:])
	}
	return src, nil
}

// constant tells an argument that has no type of its own, and needs no evaluation.
func constant(arg ast.Expr) bool {
	if name, ok := arg.(*ast.Ident); ok {
		return slices.Contains([]string{"nil", "true", "false"}, name.Name)
	}
	_, literal := arg.(*ast.BasicLit)
	return literal
}
