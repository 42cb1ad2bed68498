// Command plugin is built by internal/tools/endings as a plugin: it has its own copies of the
// tasks, of the pool, and of the functions of the runtime that a panic is in.
package main

import (
	"example.com/hemlock"
	"example.com/hemlock/internal/endings"
)

// All are the plugin's endings.
func All() []endings.Ending { return endings.All(raise) }

func raise(v any) { panic(v) }

// Told is the plugin's endings.Told.
func Told(inner func(*hemlock.Pool, func()), task func()) int64 { return endings.Told(inner, task) }

// Do is the plugin's endings.Do.
func Do(p *hemlock.Pool, task func()) { endings.Do(p, task) }

// CrashDuringShutdown is the plugin's endings.CrashDuringShutdown.
func CrashDuringShutdown(task func()) { endings.CrashDuringShutdown(hemlock.New(), task) }

func main() {}
