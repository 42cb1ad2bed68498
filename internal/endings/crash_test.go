package endings_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/endings"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

// children are what a child process of the test binary runs instead of the
// tests: what ends the process cannot be tested within it.
var children = map[string]func(){
	"import": func() { fmt.Println("goroutines:", runtime.NumGoroutine()) },
	"panic":  func() { endings.CrashDuringShutdown(hemlock.New(), func() { panic("task panic") }) },
	"runtime error": func() {
		endings.CrashDuringShutdown(hemlock.New(), func() { var p *int; *p = 1 })
	},
	"panic while exiting": func() {
		endings.CrashDuringShutdown(hemlock.New(), func() {
			defer func() { panic("late panic") }()
			runtime.Goexit()
		})
	},
	"panicking handler": func() {
		p := hemlock.New(hemlock.WithPanicHandler(func(v any, _ []byte) { panic("handler panic") }))
		endings.CrashDuringShutdown(p, func() { panic("task panic") })
	},
	"panic after shutdown": func() {
		p := hemlock.New()
		_ = p.Shutdown(context.Background())
		p.Run(func() { panic("task panic") })
		select {}
	},
}

func TestMain(m *testing.M) {
	addEndings()
	pooltest.Main(m, children)
}

// Pitfall 33: a crash is never swallowed. A worker that counted itself out while
// its process is crashing would let main exit first, now and then.
func TestCrashIsNeverSwallowed(t *testing.T) {
	for name, wants := range map[string][]string{
		"panic":                {"panic: task panic", "crash_test.go"},
		"runtime error":        {"nil pointer dereference", "crash_test.go"},
		"panic while exiting":  {"panic: late panic", "crash_test.go"},
		"panicking handler":    {"panic: task panic", "panic: handler panic"},
		"panic after shutdown": {"panic: task panic", "crash_test.go"},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.RequireCrashes(t, name, pooltest.Scaled(100), wants...)
		})
	}
}

// Pitfall 30: an import starts nothing.
func TestImportStartsNothing(t *testing.T) {
	if pooltest.Silent() {
		t.Skip("without the names of its functions the runtime counts its own goroutines")
	}
	output, status, err := pooltest.RunChild(t, "import")
	require.NoError(t, err)
	require.Zero(t, status)
	require.Equal(t, "goroutines: 1\n", output)
}
