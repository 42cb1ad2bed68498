package page

import "time"

// idlePerKill is the killer's rule, as the documentation of hemlock states it: a round
// takes one in idlePerKill of the idle workers, at least one.
const idlePerKill = 16

// A forecast says what the killer will do if no task comes and none ends.
type forecast struct {
	held   time.Duration // until the delay after the last spawn is over
	total  float64       // seconds until floor is reached
	floor  int64         // workers that will be left
	killer bool          // false: nothing is to be killed
	atMost bool          // the last spawn was not seen, so that total is a bound
}

// foresee computes the forecast from what the samples show. Where the last spawn
// or the last round lies before the first sample, it is taken to have been just
// before it, so that the forecast is too long rather than too short.
func foresee(o Options, samples []sample) forecast {
	now := samples[len(samples)-1]
	floor := max(int64(o.MinWorkers), now.Running)
	if o.KillInterval == 0 || now.Workers <= int64(o.MinWorkers) || now.Idle == 0 {
		return forecast{floor: floor}
	}
	lastSpawn, lastKill := samples[0].at, samples[0].at
	for i := 1; i < len(samples); i++ {
		if samples[i].Spawned > samples[i-1].Spawned {
			lastSpawn = samples[i].at
		}
		if samples[i].Killed > samples[i-1].Killed {
			lastKill = samples[i].at
		}
	}
	f := forecast{floor: floor, killer: true}
	f.atMost = max(lastSpawn, lastKill) == samples[0].at && now.at-samples[0].at < o.KillDelay
	if lastKill <= lastSpawn { // no round since: the delay may hold
		f.held = max(0, o.KillDelay-(now.at-lastSpawn))
		lastKill = lastSpawn
	}
	first := max(f.held, o.KillInterval-(now.at-lastKill), 0)
	// In floating point, because the largest interval times two overflows.
	f.total = first.Seconds() + float64(rounds(now.Idle, now.Workers-floor)-1)*o.KillInterval.Seconds()
	return f
}

// rounds returns how many rounds take the spare workers, out of the idle ones.
func rounds(idle, spare int64) int {
	n := 0
	for ; spare > 0; n++ {
		killed := min(max(1, idle/idlePerKill), spare)
		idle -= killed
		spare -= killed
	}
	return n
}
