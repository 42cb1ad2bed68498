//go:build go1.27 && goexperiment.runtimesecret && linux && (amd64 || arm64)

package endings_test

import (
	"runtime/secret"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

// A worker has the secret mode of the goroutine that started it, and keeps it: the
// mode of a task's submitter says nothing about the task. It takes a build with
// GOEXPERIMENT=runtimesecret; see internal/tools/releases.
func TestSecretModeIsThatOfTheWorkersFirstSubmitter(t *testing.T) {
	for name, call := range map[string]func(p *hemlock.Pool, task func()){
		"Run": func(p *hemlock.Pool, task func()) { pooltest.RunToEnd(t, p, task) },
		"Do":  (*hemlock.Pool).Do,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				secretly := func(p *hemlock.Pool, task func()) { secret.Do(func() { call(p, task) }) }
				for born, mode := range map[bool][2]func(*hemlock.Pool, func()){
					true:  {secretly, call},
					false: {call, secretly},
				} {
					p := pooltest.New(t, hemlock.WithKillInterval(0))
					for _, call := range mode {
						var enabled bool
						call(p, func() { enabled = secret.Enabled() })
						synctest.Wait()
						require.Equal(t, born, enabled)
					}
					require.EqualValues(t, 1, p.Stats().Spawned)
				}
			})
		})
	}
}
