package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// A mutant is a file with one change.
type mutant struct {
	file     string // as in the checkout, with slashes
	function string // that is changed, or "" outside of all
	line     int    // the first that is changed
	lines    int    // how many are
	from, to string // the lines before and after, each on one line
	source   []byte // the whole file, changed
	reason   string // why no test can notice, if so
}

// key names the mutant, wherever it moves within its function.
func (m *mutant) key() string {
	return fmt.Sprintf("%s:%s: %s => %s", m.file, m.function, m.from, m.to)
}

func (m *mutant) String() string {
	return fmt.Sprintf("%s:%d: %s: %s => %s", m.file, m.line, m.function, m.from, m.to)
}

// removed is what a mutant without a statement has in its place.
const removed = "(removed)"

// generate returns the mutants of a file. Whether one compiles is found out when it is
// built.
func generate(name string, source []byte) ([]*mutant, error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	g := &generator{name: name, source: source, file: files.File(parsed.FileStart), seen: map[string]int{}}
	for _, decl := range parsed.Decls {
		g.function = ""
		if f, ok := decl.(*ast.FuncDecl); ok {
			g.function = nameOf(f)
		}
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			continue
		}
		ast.Inspect(decl, g.visit)
	}
	return g.mutants, nil
}

// nameOf returns the function's name with its receiver's.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

type generator struct {
	name     string
	source   []byte
	file     *token.File
	function string
	mutants  []*mutant
	seen     map[string]int // how often a key came
}

// swaps says what each operator becomes: the boundary moved, the answer negated,
// the opposite.
var swaps = map[token.Token][]token.Token{
	token.EQL: {token.NEQ},
	token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ},
	token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ},
	token.GEQ: {token.GTR, token.LSS},

	token.LAND: {token.LOR},
	token.LOR:  {token.LAND},

	token.ADD:     {token.SUB},
	token.SUB:     {token.ADD},
	token.MUL:     {token.QUO},
	token.QUO:     {token.MUL},
	token.REM:     {token.MUL},
	token.AND:     {token.OR},
	token.OR:      {token.AND},
	token.AND_NOT: {token.AND},
	token.SHL:     {token.SHR},
	token.SHR:     {token.SHL},

	token.ADD_ASSIGN:     {token.SUB_ASSIGN},
	token.SUB_ASSIGN:     {token.ADD_ASSIGN},
	token.AND_ASSIGN:     {token.OR_ASSIGN},
	token.OR_ASSIGN:      {token.AND_ASSIGN},
	token.AND_NOT_ASSIGN: {token.AND_ASSIGN},
	token.INC:            {token.DEC},
	token.DEC:            {token.INC},
}

// opposites says what the name of a function or constant becomes.
var opposites = map[string]string{
	"true": "false", "false": "true",
	"min": "max", "max": "min",
	"Inc": "Dec", "Dec": "Inc",
	"Add": "Sub", "Sub": "Add",
}

func (g *generator) visit(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.BinaryExpr:
		g.swap(n.OpPos, n.Op)
	case *ast.UnaryExpr:
		if n.Op == token.NOT || n.Op == token.SUB || n.Op == token.XOR {
			g.replace(n.OpPos, n.X.Pos(), "")
		}
	case *ast.IncDecStmt:
		g.swap(n.TokPos, n.Tok)
	case *ast.AssignStmt:
		g.swap(n.TokPos, n.Tok)
	case *ast.BasicLit:
		g.number(n)
	case *ast.Ident:
		if opposite, ok := opposites[n.Name]; ok {
			g.replace(n.Pos(), n.End(), opposite)
		}
	case *ast.IfStmt:
		g.negate(n.Cond)
	case *ast.ForStmt:
		g.negate(n.Cond)
	case *ast.BlockStmt:
		g.remove(n.List)
	case *ast.CaseClause:
		g.clause(n)
	case *ast.CommClause:
		g.remove(n.Body)
	}
	return true
}

func (g *generator) swap(at token.Pos, op token.Token) {
	for _, other := range swaps[op] {
		g.replace(at, at+token.Pos(len(op.String())), other.String())
	}
}

// number makes a constant one more and one less.
func (g *generator) number(n *ast.BasicLit) {
	value, err := strconv.ParseInt(n.Value, 0, 64)
	if n.Kind != token.INT || err != nil {
		return
	}
	g.replace(n.Pos(), n.End(), fmt.Sprint(value+1))
	if value > 0 {
		g.replace(n.Pos(), n.End(), fmt.Sprint(value-1))
	} else {
		g.replace(n.Pos(), n.End(), "(-1)")
	}
}

// negate inverts a condition that no swapped operator inverts.
func (g *generator) negate(condition ast.Expr) {
	switch condition.(type) {
	case *ast.CallExpr, *ast.Ident, *ast.SelectorExpr, *ast.ParenExpr:
		g.replace(condition.Pos(), condition.Pos(), "!")
	}
}

// clause changes a case of a switch.
func (g *generator) clause(n *ast.CaseClause) {
	for _, condition := range n.List {
		g.negate(condition)
	}
	g.remove(n.Body)
}

// remove takes the statements away, one at a time, that the file may compile without.
func (g *generator) remove(statements []ast.Stmt) {
	for _, s := range statements {
		switch s := s.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt, *ast.BranchStmt:
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		case *ast.ReturnStmt:
			if len(s.Results) > 0 {
				continue
			}
		case *ast.IfStmt:
			if s.Else != nil {
				continue
			}
		default:
			continue
		}
		g.replace(s.Pos(), s.End(), "")
	}
}

// replace adds the mutant that has the text between the two positions.
func (g *generator) replace(from, to token.Pos, text string) {
	m := edit(g.name, g.source, g.file.Offset(from), g.file.Offset(to), text)
	m.function = g.function
	g.seen[m.key()]++
	if nth := g.seen[m.key()]; nth > 1 {
		m.to += fmt.Sprintf(" (%d)", nth) // the same line comes again in the function
	}
	g.mutants = append(g.mutants, m)
}

// edit returns the mutant that has the text in the place of source[from:to].
func edit(name string, source []byte, from, to int, text string) *mutant {
	before := strings.LastIndexByte(string(source[:from]), '\n') + 1
	after := to + strings.IndexByte(string(source[to:])+"\n", '\n')
	m := &mutant{
		file:   name,
		line:   1 + strings.Count(string(source[:from]), "\n"),
		lines:  1 + strings.Count(string(source[from:to]), "\n"),
		from:   oneLine(string(source[before:after])),
		to:     oneLine(string(source[before:from]) + text + string(source[to:after])),
		source: slices.Concat(source[:from], []byte(text), source[to:]),
	}
	if m.to == "" {
		m.to = removed
	}
	return m
}

// oneLine returns the text without its comments and line breaks.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if at := strings.Index(line, "//"); at >= 0 {
			lines[i] = line[:at]
		}
	}
	return strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}
