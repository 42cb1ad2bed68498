//go:build race

package race

// Slowdown is about how many times the race detector slows the tests down.
const Slowdown = 10
