//go:build !race

// Package race tells tests how much to do: whether the race detector is on, and
// whether the run is a long one.
package race

// Slowdown is about how many times the race detector slows the tests down; here
// there is none.
const Slowdown = 1
