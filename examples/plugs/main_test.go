package plugs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
)

// TestMain drains the pool that netpoll shares with the whole process, and
// fails if a goroutine of any pool is left.
func TestMain(m *testing.M) {
	plugNetpoll()
	code := m.Run()
	if err := endAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func endAll() error {
	if err := drainNetpoll(); err != nil {
		return err
	}
	// When Shutdown returns, the last goroutines may still be returning.
	var left []string
	for wait := time.Millisecond; wait < 10*time.Second; wait *= 2 {
		if left = pooltest.StacksOf("created by example.com/hemlock.("); len(left) == 0 {
			return nil
		}
		time.Sleep(wait)
	}
	return fmt.Errorf("goroutines of a pool outlived its Shutdown:\n%s", strings.Join(left, "\n\n"))
}

// underWay returns how many tasks of the pool are not done: those that run and
// those that wait for a processor.
func underWay(pool *hemlock.Pool) int64 {
	stats := pool.Stats()
	return stats.Running + stats.Waiting
}
