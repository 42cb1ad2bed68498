package conformance_test

import (
	"testing"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
)

func TestHemlockKeepsEveryClause(t *testing.T) {
	conformance.Run(t, self.Subject())
}
