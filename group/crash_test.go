package group_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// children are what a child process of the test binary runs instead of the
// tests: what ends the process cannot be tested within it.
var children = map[string]func(){
	"pool":        func() { crash(group.New(hemlock.New())) },
	"zero group":  func() { crash(new(group.Group)) },
	"closed pool": func() { crash(group.New(closedPool())) },
	"cancelled context": func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		g, _ := group.WithContext(ctx, hemlock.New())
		crash(g)
	},
	"nested": func() {
		p := hemlock.New()
		outer := group.New(p)
		outer.Go(func() error {
			crash(group.New(p))
			return nil
		})
		_ = outer.Wait()
		select {}
	},
}

func closedPool() *hemlock.Pool {
	p := hemlock.New()
	_ = p.Shutdown(context.Background())
	return p
}

// crash runs a task that panics, and does not end the process by itself.
func crash(g *group.Group) {
	g.Go(stumble)
	_ = g.Wait()
	select {}
}

const childVariable = "HEMLOCK_GROUP_TEST_CHILD"

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childVariable)]; child != nil {
		child()
		return
	}
	os.Exit(m.Run())
}

// Without a handler a panic crashes the process, whoever waits for the group and
// whether or not Wait has returned, and the crash is the task's own: nothing was
// recovered and thrown again.
func TestPanicWithoutAHandlerCrashes(t *testing.T) {
	for name := range children {
		t.Run(name, func(t *testing.T) {
			var all errgroup.Group
			all.SetLimit(4)
			for range 20 {
				all.Go(func() error {
					output, status := runChild(t, name)
					if status != 2 {
						return fmt.Errorf("exit status %d: %s", status, output)
					}
					for _, want := range []string{"panic: stumbled\n", "group_test.stumble("} {
						if !strings.Contains(output, want) {
							return fmt.Errorf("no %q in %s", want, output)
						}
					}
					if strings.Contains(output, "recovered") {
						return fmt.Errorf("the panic was thrown again: %s", output)
					}
					return nil
				})
			}
			require.NoError(t, all.Wait())
		})
	}
}

// runChild returns what the child printed and its exit status, or -1 if it could
// not be started.
func runChild(t testing.TB, name string) (output string, status int) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return err.Error(), -1
	}
	return string(out), cmd.ProcessState.ExitCode()
}
