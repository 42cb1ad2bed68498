// Command api prints what the importable packages of a checkout export, without
// comments and bodies:
//
//	go -C internal/tools run ./api ../..
//
// make api compares that with hemlock.txt, so that every change of the interface is
// seen. It reads only syntax, so neither the Go version nor the platform changes what
// it prints. It does not see what a declaration inherits: methods promoted from an
// embedded field, and the fields of an aliased type.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"log"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

var style = printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}

// private are the directories whose packages are not for import.
var private = []string{".git", "bench", "bin", "cmd", "examples", "internal", "peers", "testdata"}

func main() {
	log.SetFlags(0)
	log.SetPrefix("api: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: api DIRECTORY")
	}
	text, err := describe(os.DirFS(os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
}

// describe returns the declarations, sorted within each package. It ignores build
// constraints: a name that only one platform has is printed, too.
func describe(tree fs.FS) (string, error) {
	packages := map[string][]string{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(private, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		exported, err := declarations(name, source)
		if len(exported) > 0 {
			dir := path.Dir(name)
			packages[dir] = append(packages[dir], exported...)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		slices.Sort(packages[dir])
		fmt.Fprintf(&b, "# %s\n%s\n", dir, strings.Join(packages[dir], ""))
	}
	return b.String(), nil
}

// declarations returns those that the file exports, one or several lines each.
func declarations(name string, source []byte) (exported []string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil || file.Name.Name == "main" {
		return nil, err
	}
	ast.FileExports(file)
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil && !exportedReceiver(d.Recv.List[0].Type) {
				continue
			}
			d.Body = nil
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				continue
			}
			if d.Tok == token.VAR {
				for _, spec := range d.Specs {
					spec.(*ast.ValueSpec).Values = nil
				}
			}
		}
		var b bytes.Buffer
		if err := style.Fprint(&b, files, d); err != nil {
			return nil, err
		}
		// Where a comment was, there may be an empty line.
		exported = append(exported, strings.ReplaceAll(b.String(), "\n\n", "\n")+"\n")
	}
	return exported, nil
}

// exportedReceiver reports whether the type of a receiver has an exported name.
func exportedReceiver(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.StarExpr:
		return exportedReceiver(t.X)
	case *ast.IndexExpr:
		return exportedReceiver(t.X)
	case *ast.IndexListExpr:
		return exportedReceiver(t.X)
	case *ast.Ident:
		return t.IsExported()
	}
	return true
}
