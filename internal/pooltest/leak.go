package pooltest

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
)

// leaked says which goroutines wait for something that no other goroutine can reach. It
// needs the runtime's goroutine leak profile, an experiment, and returns nil without
// it.
func leaked() error {
	if pprof.Lookup("goroutineleak") == nil {
		return nil
	}
	if profile := leakProfile(); !strings.Contains(profile, "profile: total 0\n") {
		return fmt.Errorf("goroutines are leaked:\n%s", profile)
	}
	// A check that finds nothing must be able to find something.
	go func() { <-make(chan int) }()
	if !Within(Patience, func() bool { return strings.Contains(leakProfile(), "profile: total 1\n") }) {
		return fmt.Errorf("the leak profile does not show one leak:\n%s", leakProfile())
	}
	fmt.Fprintln(os.Stderr, "leak: no goroutine is leaked")
	return nil
}

func leakProfile() string {
	var b strings.Builder
	if err := pprof.Lookup("goroutineleak").WriteTo(&b, 1); err != nil {
		return err.Error()
	}
	return b.String()
}
