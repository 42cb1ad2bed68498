package main

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestSearch(t *testing.T) {
	for body, want := range map[string]int{
		"go func() { require.True(t, ok) }()":                                          1,
		"require.NoError(t, p.Submit(func() { require.True(t, ok) }))":                 1,
		"p.Run(func() { defer all.Done(); if bad { t.Fatal() } })":                     1,
		"group.Go(func() error { require.True(t, ok); b.FailNow(); return nil })":      2,
		"go func() { p.Run(func() { require.True(t, ok) }) }()":                        1, // not twice
		"go func() { f := func() { require.True(t, ok) }; f() }()":                     1,
		"t.Run(name, func(t *testing.T) { require.True(t, ok) })":                      0,
		"p.Do(func() { require.True(t, ok) })":                                         0, // exits its caller, too
		"go func() { assert.True(t, ok); t.Error() }()":                                0,
		"go func() { synctest.Test(t, func(t *testing.T) { require.True(t, ok) }) }()": 0,
		"go work(func() { require.True(t, ok) })":                                      0, // where it is called is unknown
	} {
		source := fmt.Sprintf("package p\n\nfunc TestIt(t *testing.T) {\n\t%s\n}\n", body)
		found, err := search(fstest.MapFS{
			"sub/it_test.go": {Data: []byte(source)},
			"sub/it.go":      {Data: []byte(source)},
		})
		require.NoError(t, err)
		require.Len(t, found, want, body)
		for _, at := range found {
			require.Contains(t, at, "sub/it_test.go:4:")
		}
	}
}

func TestSearchReportsWhatDoesNotParse(t *testing.T) {
	_, err := search(fstest.MapFS{"it_test.go": {Data: []byte("package")}})
	require.Error(t, err)
}
