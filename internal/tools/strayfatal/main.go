// Command strayfatal fails if a test ends itself on a goroutine that is not its own:
//
//	go -C internal/tools run ./strayfatal ../..
//
// require and FailNow call runtime.Goexit. In a task the pool absorbs that: the test
// goes on, and hangs or passes. Linters look at go statements; this command looks at
// what is handed to Submit, Run and Go as well.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("strayfatal: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: strayfatal DIRECTORY")
	}
	found, err := search(os.DirFS(os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	for _, at := range found {
		fmt.Println(filepath.Join(os.Args[1], at) + ": ends the test on a goroutine that is not its own")
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}

// search returns the positions in all tests of the tree.
func search(tree fs.FS) (found []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		in, err := searchFile(name, source)
		found = append(found, in...)
		return err
	})
	return found, err
}

func searchFile(name string, source []byte) (found []string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if f := foreign(n); f != nil {
			for _, at := range fatal(f) {
				found = append(found, files.Position(at).String())
			}
		}
		return true
	})
	return found, nil
}

// foreign returns the function that the node starts on another goroutine, if it
// does and the function is written there.
func foreign(n ast.Node) *ast.FuncLit {
	switch n := n.(type) {
	case *ast.GoStmt:
		f, _ := n.Call.Fun.(*ast.FuncLit)
		return f
	case *ast.CallExpr:
		method, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || len(n.Args) != 1 {
			return nil // t.Run has two
		}
		switch method.Sel.Name {
		case "Submit", "Run", "Go", "TryGo":
			f, _ := n.Args[0].(*ast.FuncLit)
			return f
		}
	}
	return nil
}

// fatal returns where the function ends the test. A function within it that has a
// test of its own, or is started elsewhere, is looked at by itself.
func fatal(f *ast.FuncLit) (found []token.Pos) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if foreign(n) != nil {
			return false
		}
		if inner, ok := n.(*ast.FuncLit); ok && inner.Type.Params.NumFields() > 0 {
			return false
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		receiver, ok := method.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch method.Sel.Name {
		case "Fatal", "Fatalf", "FailNow", "Skip", "Skipf", "SkipNow":
			if receiver.Name == "t" || receiver.Name == "b" || receiver.Name == "tb" {
				found = append(found, call.Pos())
			}
		default:
			if receiver.Name == "require" {
				found = append(found, call.Pos())
			}
		}
		return true
	})
	return found
}
