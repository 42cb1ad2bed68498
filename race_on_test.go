//go:build race

package hemlock_test

// scaled shortens a long loop under the race detector, which slows it down by
// an order of magnitude.
func scaled(n int) int { return n / 10 }
