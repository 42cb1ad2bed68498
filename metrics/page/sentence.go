package page

import (
	"fmt"
	"time"
)

// The states of a pool, as the page names them.
const (
	stateRest      = "rest"
	stateSteady    = "steady"
	stateGrowing   = "growing"
	stateHolding   = "holding"
	stateShrinking = "shrinking"
	stateSaturated = "saturated"
)

// recent is how far back the sentence looks. A pool that spawned a worker longer
// ago does not grow.
const recent = 3 * time.Second

// A sentence says what a pool is doing.
type sentence struct {
	state string
	word  string // the first words, which the page emphasises
	rest  string
}

func (s sentence) String() string { return s.word + ": " + s.rest + "." }

// describe returns the sentence that fits first. The order is that of urgency:
// what a person must act on comes before what the killer will settle.
func describe(o *Options, samples []sample) sentence {
	now := samples[len(samples)-1]
	then := since(samples, recent)
	switch {
	case waited(samples, recent):
		return sentence{stateSaturated, "Saturated", count(now.Waiting, "task waits", "tasks wait") +
			" for a processor, " + comma(now.Running) + " running"}
	case now.Workers == 0 && now.Submitted == 0:
		return sentence{stateRest, "At rest", "no task yet, so no worker"}
	case now.Workers == 0:
		return sentence{stateRest, "At rest", "no workers, and no timer that wakes the process"}
	case now.Spawned > then.Spawned && now.Workers > then.Workers:
		return sentence{stateGrowing, "Growing", fmt.Sprintf("%s more in %s, %s running",
			count(now.Workers-then.Workers, "worker", "workers"), seconds((now.at - then.at).Seconds()), comma(now.Running))}
	case now.Idle == 0:
		return sentence{stateSteady, "Busy", "all of " + count(now.Workers, "worker", "workers") + " running, none idle"}
	case o == nil:
		return observed(samples)
	}
	return expected(*o, samples)
}

// expected says what the killer will do.
func expected(o Options, samples []sample) sentence {
	now := samples[len(samples)-1]
	idle := comma(now.Idle) + " idle"
	f := foresee(o, samples)
	switch {
	case o.KillInterval == 0:
		return sentence{stateSteady, "Keeping", idle + ", " + comma(now.Running) + " running; the killer is off"}
	case !f.killer:
		return sentence{stateSteady, "At the minimum", idle + ", " + comma(now.Running) + " running; nothing to kill"}
	}
	to := "the minimum"
	if f.floor > int64(o.MinWorkers) {
		to = "the " + comma(f.floor) + " that run"
	}
	if f.atMost {
		return sentence{stateShrinking, "Shrinking", fmt.Sprintf("%s, at most %s to %s", idle, seconds(f.total), to)}
	}
	if f.held > 0 {
		return sentence{stateHolding, "Holding", fmt.Sprintf("%s; no kill for another %s, about %s to %s",
			idle, seconds(f.held.Seconds()), seconds(f.total), to)}
	}
	return sentence{stateShrinking, "Shrinking", fmt.Sprintf("%s, about %s to %s", idle, seconds(f.total), to)}
}

// observed says what can be said without the options.
func observed(samples []sample) sentence {
	now := samples[len(samples)-1]
	then := since(samples, 10*time.Second)
	if killed := now.Killed - then.Killed; killed > 0 {
		return sentence{stateShrinking, "Shrinking", fmt.Sprintf("%s idle, %s killed in %s",
			comma(now.Idle), comma(killed), seconds((now.at - then.at).Seconds()))}
	}
	return sentence{stateSteady, "Steady", comma(now.Idle) + " idle, " + comma(now.Running) + " running"}
}

// since returns the newest sample that is at least of that age, or the oldest.
func since(samples []sample, age time.Duration) sample {
	now := samples[len(samples)-1]
	for i := len(samples) - 1; i > 0; i-- {
		if now.at-samples[i].at >= age {
			return samples[i]
		}
	}
	return samples[0]
}

// waited reports whether tasks have waited at every look for that long. At a single
// look some always may: a task waits until its worker gets a processor.
func waited(samples []sample, age time.Duration) bool {
	now := samples[len(samples)-1]
	for i := len(samples) - 1; i >= 0; i-- {
		if samples[i].Waiting == 0 {
			return false
		}
		if now.at-samples[i].at >= age {
			return true
		}
	}
	return false
}
