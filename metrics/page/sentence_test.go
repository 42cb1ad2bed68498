package page_test

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
	"github.com/stretchr/testify/require"
)

func TestSentenceSaysWhatIsGoingOn(t *testing.T) {
	never := page.Defaults()
	never.KillInterval = 0
	kept := page.Defaults()
	kept.MinWorkers = 50
	told := defaults()
	idle := hemlock.Stats{Workers: 50, Idle: 38, Running: 12, Submitted: 900, Completed: 888, Spawned: 50}
	killed := idle
	killed.Workers, killed.Idle, killed.Killed = 40, 28, 10
	saturated := idle
	saturated.Waiting = 37
	grown := hemlock.Stats{Workers: 1200, Idle: 100, Running: 1100, Submitted: 2000, Completed: 900, Spawned: 1200}
	full := hemlock.Stats{Workers: 1, Running: 1, Submitted: 1, Spawned: 1}
	spent := hemlock.Stats{Submitted: 5, Completed: 5, Spawned: 1, Killed: 1, PeakWorkers: 1}
	for want, c := range map[string]struct {
		options *page.Options
		seen    []hemlock.Stats // a second apart
	}{
		"At rest: no task yet, so no worker.":                       {told, []hemlock.Stats{{}, {}}},
		"At rest: no workers, and no timer that wakes the process.": {told, []hemlock.Stats{spent}},
		"Growing: 1,150 workers more in 3 s, 1,100 running.":        {told, []hemlock.Stats{idle, idle, idle, grown}},
		"Growing: 1,150 workers more in 2 s, 1,100 running.":        {nil, []hemlock.Stats{idle, idle, grown}},
		"Busy: all of 1 worker running, none idle.":                 {told, []hemlock.Stats{full}},
		"Keeping: 38 idle, 12 running; the killer is off.":          {&never, []hemlock.Stats{idle}},
		"At the minimum: 38 idle, 12 running; nothing to kill.":     {&kept, []hemlock.Stats{idle}},
		"Steady: 38 idle, 12 running.":                              {nil, []hemlock.Stats{idle, idle}},
		"Shrinking: 28 idle, 10 killed in 2 s.":                     {nil, []hemlock.Stats{idle, killed, killed}},
		"Shrinking: 28 idle, about 28 s to the 12 that run.":        {told, []hemlock.Stats{idle, idle, killed}},
		"Saturated: 37 tasks wait for a processor, 12 running.":     {told, []hemlock.Stats{saturated, saturated, saturated, saturated}},
		"Shrinking: 38 idle, at most 41 s to the 12 that run.":      {told, []hemlock.Stats{saturated, idle, saturated}},
		"Shrinking: 38 idle, at most 42 s to the 12 that run.":      {told, []hemlock.Stats{saturated, saturated}},
	} {
		synctest.Test(t, func(t *testing.T) {
			at := 0
			p := page.Over("dns", c.options, func() hemlock.Stats { return c.seen[at] })
			for at = range c.seen {
				if at > 0 {
					time.Sleep(time.Second)
				}
				p.Look()
			}
			require.Equal(t, want, p.Says())
		})
	}
}
