//go:build !race

package hemlock_test

// slowdown is about how many times the race detector slows the tests down; here
// there is none.
const slowdown = 1
