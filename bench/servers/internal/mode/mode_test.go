package mode

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryModeRunsItsTasksAtTheSameTime(t *testing.T) {
	for _, m := range All() {
		way, _ := m.New()
		if m.Name == Library || m.Within {
			require.Nil(t, way.Run)
			continue
		}
		const tasks = pondWorkers
		var met, ended sync.WaitGroup
		met.Add(tasks)
		for range tasks {
			ended.Add(1)
			way.Run(func() {
				defer ended.Done()
				met.Done()
				met.Wait()
			})
		}
		ended.Wait()
	}
}

func TestBaselineIsFirst(t *testing.T) {
	require.Equal(t, Baseline, All()[0].Name)
}
