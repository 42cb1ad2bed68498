//go:build !race

// Package race tells tests whether the race detector is on.
package race

// Slowdown is about how many times the race detector slows the tests down; here
// there is none.
const Slowdown = 1
