package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// A test is one of a package, or one part of a test, with a slash. With an empty name it
// is the package itself, if it fails and none of its tests does: it does not build, or it
// looks for what its tests have left.
type test struct{ pkg, name string }

// top returns the test that has this one as a part.
func (t test) top() test {
	t.name, _, _ = strings.Cut(t.name, "/")
	return t
}

// pattern returns what go test -run takes, and for a package what all its tests match.
func (t test) pattern(all string) string {
	if t.name == "" {
		return all
	}
	return "^" + t.name + "$"
}

// String is the name for a reader.
func (t test) String() string { return cmp.Or(t.name, t.pkg) }

// results has an outcome for each test: "pass", "fail" or "skip".
type results struct {
	outcome map[test]string
	output  map[test]string
}

// parse reads what go test -json prints.
func parse(r io.Reader) (results, error) {
	got := results{map[test]string{}, map[test]string{}}
	failed := map[string]bool{}
	for events := json.NewDecoder(r); ; {
		var e struct{ Action, Package, Test, Output string }
		if err := events.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return got, err
		}
		t := test{e.Package, e.Test}
		switch e.Action {
		case "output":
			got.output[t] += e.Output
		case "pass", "fail", "skip":
			got.outcome[t] = e.Action
			failed[t.pkg] = failed[t.pkg] || t.name != "" && e.Action == "fail"
		}
	}
	maps.DeleteFunc(got.outcome, func(t test, outcome string) bool {
		return t.name == "" && (outcome != "fail" || failed[t.pkg])
	})
	return got, nil
}

// toRepeat returns the tests to run again, each with all its parts, and a package only
// if none of its tests is among them. A package that has crashed fails by those.
func toRepeat(failed []test, withPool results) []test {
	var tests []test
	for _, t := range failed {
		if t.name == "" && slices.ContainsFunc(failed, func(f test) bool { return f.pkg == t.pkg && f.name != "" }) {
			delete(withPool.outcome, t)
		} else if !slices.Contains(tests, t.top()) {
			tests = append(tests, t.top())
		}
	}
	return tests
}

// replace puts the outcome of a test that was run again, with all its parts, in the
// place of the first.
func (r results) replace(again results, top test) {
	maps.DeleteFunc(r.outcome, func(t test, _ string) bool {
		return t.pkg == top.pkg && (t.top() == top || top.name == "")
	})
	maps.Copy(r.outcome, again.outcome)
	maps.Copy(r.output, again.output)
}

// A comparison sorts the tests of a suite by how they ended.
type comparison struct{ passes, fails, failsWithPool, failsWithGo []test }

// compare holds each test with go against the same with the pool. A test that passes in
// one, and is skipped or missing in the other, fails there. One that is skipped with go
// counts only if it fails with the pool.
func compare(withGo, withPool results) comparison {
	all := map[test]string{}
	maps.Copy(all, withGo.outcome)
	maps.Copy(all, withPool.outcome)
	var c comparison
	for t := range all {
		switch g, p := withGo.outcome[t], withPool.outcome[t]; {
		case g == "pass" && p == "pass":
			c.passes = append(c.passes, t)
		case g == "fail" && p != "pass":
			c.fails = append(c.fails, t)
		case g == "pass", p == "fail":
			c.failsWithPool = append(c.failsWithPool, t)
		case g != "skip" && p == "pass":
			c.failsWithGo = append(c.failsWithGo, t)
		}
	}
	for _, tests := range [][]test{c.passes, c.fails, c.failsWithPool, c.failsWithGo} {
		slices.SortFunc(tests, func(a, b test) int { return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.name, b.name)) })
	}
	return c
}
