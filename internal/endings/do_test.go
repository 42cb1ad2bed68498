package endings_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

func init() {
	maps.Copy(children, map[string]func(){
		"Do panic": func() {
			p := hemlock.New()
			started := make(chan struct{})
			go p.Do(func() {
				close(started)
				panic("task panic")
			})
			<-started
			_ = p.Shutdown(context.Background())
			select {} // the crash is the caller's, not the pool's
		},
		"Do panic, told": func() {
			p := hemlock.New(hemlock.WithPanicHandler(func(v any, _ []byte) { fmt.Println("told:", v) }))
			p.Do(func() { panic("task panic") })
		},
		"Do panic with nil": func() {
			go hemlock.New().Do(func() { panic(nil) })
			select {}
		},
		"Do, then locked": func() {
			p := hemlock.New()
			p.Do(func() {})
			lockedDo(p)
		},
		"Do of a locked caller":       func() { lockedDo(hemlock.New()) },
		"Do leaves its thread locked": func() { hemlock.New().Do(runtime.LockOSThread) },
		"Do locks and unlocks": func() {
			p := hemlock.New()
			for range 1000 {
				p.Do(func() {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					runtime.Gosched()
				})
			}
			fmt.Println("spawned:", p.Stats().Spawned)
		},
		"Do while packages are initialised": func() { poolOfInit.Do(func() {}) },
	})
	if pooltest.Child() == "Do while packages are initialised" {
		poolOfInit.Do(func() {})
	}
}

var poolOfInit = hemlock.New()

// lockedDo calls Do on a goroutine that is locked to its thread.
func lockedDo(p *hemlock.Pool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p.Do(func() {})
	}()
	<-done
}

// A panic that no caller recovers crashes the process. Unlike a task of Run, one of Do
// has ended when its panic reaches the caller. So Shutdown, and main, may return before
// the crash: here main waits.
func TestPanicThroughDoCrashesTheProcess(t *testing.T) {
	for name, wants := range map[string][]string{
		"Do panic":       {"panic: task panic", "hemlock.(*Pool).Do"},
		"Do panic, told": {"told: task panic", "panic: task panic", "hemlock.(*Pool).Do"},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.RequireCrashes(t, name, pooltest.Scaled(40), wants...)
		})
	}
}

// Pitfall 72: the panic must not become Goexit, which would end in a deadlock here.
func TestPanicWithNilThroughDoCrashesTheProcess(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	pooltest.RequireCrashes(t, "Do panic with nil", 4, "panic: nil", "hemlock.(*Pool).Do")
}

// Pitfall 55: what the documentation says of locked threads. If a test fails here
// with a new Go, Do has become better than it says.
func TestDoAndLockedThreads(t *testing.T) {
	const fatal = "fatal error: coro: OS thread locking must match locking at coroutine creation"
	for name, want := range map[string]string{
		"Do, then locked":                   fatal,
		"Do of a locked caller":             fatal,
		"Do leaves its thread locked":       fatal,
		"Do while packages are initialised": fatal,
		"Do locks and unlocks":              "spawned: 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			output, status, err := pooltest.RunChild(t, name)
			require.NoError(t, err)
			if want != fatal || !pooltest.Silent() {
				require.Contains(t, output, want)
			}
			if strings.Contains(name, "locked") && want == fatal && !pooltest.Silent() {
				require.Contains(t, output, "hemlock.(*Pool).Do", "the stack of the one at fault")
			}
			require.Equal(t, want == fatal, status == 2, "status %d", status)
		})
	}
}
