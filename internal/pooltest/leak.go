package pooltest

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"time"
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
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if strings.Contains(leakProfile(), "profile: total 1\n") {
			fmt.Fprintln(os.Stderr, "leak: no goroutine is leaked")
			return nil
		}
	}
	return fmt.Errorf("the leak profile does not show one leak:\n%s", leakProfile())
}

func leakProfile() string {
	var b strings.Builder
	if err := pprof.Lookup("goroutineleak").WriteTo(&b, 1); err != nil {
		return err.Error()
	}
	return b.String()
}
