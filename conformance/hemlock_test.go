package conformance_test

import (
	"testing"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, self.Subject())
}
