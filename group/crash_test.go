package group_test

import (
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
)

// children are what a child process of the test binary runs instead of the
// tests: what ends the process cannot be tested within it.
var children = map[string]func(){
	"pool":       func() { crash(group.New(hemlock.New())) },
	"zero group": func() { crash(new(group.Group)) },
}

// crash runs a task that panics, and does not end the process by itself.
func crash(g *group.Group) {
	g.Go(stumble)
	_ = g.Wait()
	select {}
}

func TestMain(m *testing.M) { pooltest.Main(m, children) }

// Without a handler a panic crashes the process, whether a caller waits for the group,
// has waited, or never does. The crash is the task's own: nothing was recovered and
// raised again.
func TestPanicWithoutAHandlerCrashes(t *testing.T) {
	for name := range children {
		t.Run(name, func(t *testing.T) {
			pooltest.RequireCrashes(t, name, 20, "panic: stumbled\n\ngoroutine ", "group_test.stumble(")
		})
	}
}
