//go:build race

package hemlock_test

// slowdown is about how many times the race detector slows the tests down.
const slowdown = 10
