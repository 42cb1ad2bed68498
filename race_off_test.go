//go:build !race

package hemlock_test

// scaled shortens a long loop under the race detector; here it does not.
func scaled(n int) int { return n }
