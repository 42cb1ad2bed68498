package main

import (
	"errors"
	"fmt"
)

// An unnoticed is a mutant that no test can notice, and the reason. It is named by
// what does not change when lines move.
type unnoticed struct {
	file, function string
	from, to       string
	reason         string
}

var equivalents = []unnoticed{}

// markEquivalents gives the mutants of the list their reasons. An entry without a
// mutant is of code that has changed, and its reason with it.
func markEquivalents(mutants []*mutant) error {
	byKey := map[string]*mutant{}
	for _, m := range mutants {
		byKey[m.key()] = m
	}
	var err error
	for _, u := range equivalents {
		entry := &mutant{file: u.file, function: u.function, from: u.from, to: u.to}
		m := byKey[entry.key()]
		if m == nil || m.reason != "" {
			err = errors.Join(err, fmt.Errorf("equivalents.go: no such mutant, or listed twice: %s", entry.key()))
			continue
		}
		m.reason = u.reason
	}
	return err
}
