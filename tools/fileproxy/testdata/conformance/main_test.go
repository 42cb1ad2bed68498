package main

import (
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/conformance"
)

func TestFresh(t *testing.T) {
	conformance.Run(t, conformance.Subject{
		Name:      "fresh",
		Package:   "example.com/hemlock",
		New:       func(conformance.Settings) conformance.Pool { return hemlock.New() },
		Abilities: []conformance.Ability{conformance.Shutdown},
	})
}
