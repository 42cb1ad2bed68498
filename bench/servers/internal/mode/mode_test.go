package mode

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryModeRunsItsTasksAtTheSameTime(t *testing.T) {
	for _, m := range All() {
		start, _ := m.New()
		if m.Name == Library {
			require.Nil(t, start)
			continue
		}
		const tasks = pondWorkers
		var met, ended sync.WaitGroup
		met.Add(tasks)
		for range tasks {
			ended.Add(1)
			start(func() {
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

func TestThePoolIsCounted(t *testing.T) {
	m, err := Find("pool")
	require.NoError(t, err)
	start, stats := m.New()
	var ended sync.WaitGroup
	ended.Add(1)
	start(ended.Done)
	ended.Wait()
	encoded, err := json.Marshal(stats())
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"spawned":1`)
}
