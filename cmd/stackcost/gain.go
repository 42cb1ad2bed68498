package main

import (
	"math"
	"strings"
)

const (
	// worthIt is the share of the processor time below which a pool is not worth
	// its place in a program.
	worthIt = 0.05

	// fewest is how many samples an answer needs. With 200 a share of 5 % is
	// known to within 3.
	fewest = 200

	// tooHigh and tooLow are by how much of itself an estimate may be off for what
	// it leaves out: the hand-over, colder stacks, more of them to collect. Of 12
	// forecasts for real servers (README.md) eleven were too high, and one by more than
	// this and the error of counting. The tests hold those of testdata to it.
	tooHigh = 0.25
	tooLow  = 0.1

	// regrowth is how much longer than a collection shrinks stacks the program
	// takes to grow them again: shrinking copies little and once, growing copies
	// all there is, and doubles until it fits. Profiles of this project's own pool,
	// where nothing else grows, show 2 to 5.
	regrowth = 3
)

// A gain is what one change would give back, as shares of the processor time.
// It is negative where the change would cost more than it saves.
type gain struct {
	low, likely, high float64
	growing           float64 // what it was derived from
	starting          float64
}

// A forecast says what each change would give back.
type forecast struct {
	run gain // in place of go statements that can be changed
	do  gain // inside goroutines that a library starts

	inLibrary float64 // growing in goroutines of libraries where Do cannot be
	kept      float64 // growing in goroutines that are kept already
	regrown   float64 // growing again what collections shrank
}

func (v *survey) share(ticks int64) float64 { return float64(ticks) / float64(v.ticks) }

// forecast derives the gains. A goroutine that is kept grows once, so all of the
// growing is given back, except what collections shrink.
//
// Run saves starting the goroutine too. It wakes a worker instead, which is not in the
// profile, but a go statement wakes a processor as well.
//
// Do saves no goroutine, and costs two switches. They are taken to cost as much
// as starting a goroutine does: both were about 200 ns.
func (v *survey) forecast() forecast {
	var f forecast
	var run, do int64
	for _, at := range v.sites {
		switch {
		case at.kept != "":
			f.kept += v.share(at.growing)
		case v.changeable(at):
			run += at.growing
		default:
			do += at.handled
			f.inLibrary += v.share(at.growing - at.handled)
		}
	}
	movable := v.share(run + do)
	f.regrown = min(movable, regrowth*v.share(v.spent[shrinking]))
	left := 1.0
	if movable > 0 {
		left = 1 - f.regrown/movable
	}
	started := v.share(v.spent[starting])
	f.run = v.gain(left*v.share(run), started*part(run, run+do))
	f.do = v.gain(left*v.share(do), -started*part(do, run+do))
	return f
}

func part(of, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(of) / float64(all)
}

// gain widens the estimate by the error of the model and by that of counting.
func (v *survey) gain(growing, starting float64) gain {
	likely := growing + starting
	off := v.doubt(growing + math.Abs(starting))
	return gain{
		low:      likely - tooHigh*math.Abs(likely) - off,
		likely:   likely,
		high:     likely + tooLow*math.Abs(likely) + off,
		growing:  growing,
		starting: starting,
	}
}

// doubt is two standard deviations of a share, if samples are drawn at random. What
// none of n samples shows may still be 3/n: that much would escape one time in 20.
func (v *survey) doubt(share float64) float64 {
	if share <= 0 {
		return 3 / float64(v.ticks)
	}
	share = min(share, 1)
	return 2 * math.Sqrt(share*(1-share)/float64(v.ticks))
}

// changeable reports whether the program itself has the go statement: the entry is
// its own, or that of a group on which it calls Go.
func (v *survey) changeable(at *site) bool {
	if v.origins.of(at.entry) == yours {
		return true
	}
	for _, group := range []string{"sync.(*WaitGroup).Go.", "golang.org/x/sync/errgroup.(*Group)."} {
		if strings.HasPrefix(at.entry.name, group) {
			return true
		}
	}
	return false
}
