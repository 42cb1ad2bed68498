package main

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestDescribe(t *testing.T) {
	text, err := describe(fstest.MapFS{
		"b.go": {Data: []byte(`package p

// A comment.
type T struct {
	A int // and another

	// One more.
	B string
	b string
}

func (t *T) M(x int) error { return nil }
func (t *T) m()            {}
func (u u) M()             {}
func (g *G[X]) M(X)        {}
func f()                   {}

var E = errors.New("e")
`)},
		"a.go":               {Data: []byte("package p\n\nimport \"os\"\n\nconst C = 1\n\nfunc F[X any](f *os.File, x ...X) {}\n")},
		"a_test.go":          {Data: []byte("package p\n\nfunc Test() {}\n")},
		"sub/a.go":           {Data: []byte("//go:build windows\n\npackage sub\n\ntype I interface{ M(); m() }\n")},
		"sub/internal/a.go":  {Data: []byte("package internal\n\nfunc Hidden() {}\n")},
		"program/main.go":    {Data: []byte("package main\n\nfunc Hidden() {}\n")},
		"sub/testdata/no.go": {Data: []byte("not Go")},
	})
	require.NoError(t, err)
	require.Equal(t, `# .
const C = 1
func (g *G[X]) M(X)
func (t *T) M(x int) error
func F[X any](f *os.File, x ...X)
type T struct {
	A int
	B string
	// contains filtered or unexported fields
}
var E

# sub
type I interface {
	M()
	// contains filtered or unexported methods
}

`, text)
}

func TestDescribeReportsWhatDoesNotParse(t *testing.T) {
	_, err := describe(fstest.MapFS{"it.go": {Data: []byte("package")}})
	require.Error(t, err)
}
