package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"example.com/hemlock/bench/servers/internal/drive"
	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/target"
	"example.com/hemlock/bench/servers/internal/work"
)

// span is the part of a load over which a median is taken to see whether a server is back.
const span = 50 * time.Millisecond

// A Stall is a load at a fixed rate during which the server is stopped for a while, as a
// process is that gets no processor: what was due meanwhile comes all at once.
type Stall struct {
	Target  target.Target
	Work    work.Work
	Callers int
	Rate    int           // percent of the calls that go answers when callers wait
	Stop    time.Duration // how long the server is stopped
	Settle  time.Duration // the load before the stop
	Watch   time.Duration // the load after it

	Environment []string // of the server, beside that of this process
}

// Stall stops each server of the plan, with the first of its stacks, callers and rates, and
// prints when it is back.
func (p Plan) Stall(ctx context.Context, stop time.Duration, out io.Writer) error {
	for _, t := range p.Targets {
		s := Stall{
			Target: t, Work: work.Work{Stack: p.Stacks[0], Garbage: p.Settings.Garbage}, Callers: p.Callers[0],
			Rate: append(p.Settings.Rates, 40)[0], Stop: stop, Settle: p.Settings.Duration, Watch: 3*stop + p.Settings.Duration,
			Environment: p.environment(),
		}
		if err := s.Print(ctx, out, p.Modes, p.Settings.Rounds); err != nil {
			return err
		}
	}
	return nil
}

// Print runs the stall with each mode, the baseline first, in each round and writes how
// long each took to be back.
func (s Stall) Print(ctx context.Context, out io.Writer, modes []string, rounds int) error {
	modes = Plan{Modes: modes}.modesOf(s.Target)
	for round := range rounds {
		perSecond, err := s.saturation(ctx)
		if err != nil {
			return err
		}
		perSecond *= float64(s.Rate) / 100
		for _, name := range modes {
			took, err := s.Recover(ctx, name, perSecond)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", s.Target.Name, name, err)
			}
			fmt.Fprintf(out, "%s, %s, round %d: stopped for %v at %.0f calls due a second, back after %v\n",
				s.Target.Name, name, round+1, s.Stop, perSecond, took)
		}
	}
	return nil
}

// saturation returns how many calls a second go answers.
func (s Stall) saturation(ctx context.Context) (perSecond float64, err error) {
	err = s.serve(ctx, mode.Baseline, func(_ *process.Process, callers *drive.Callers) error {
		r := callers.Run(ctx, s.Settle)
		perSecond = float64(r.Calls) / r.Elapsed.Seconds()
		if r.Failed > 0 || r.Calls == 0 {
			return fmt.Errorf("%d calls answered, %d failed: %s", r.Calls, r.Failed, r.Failure)
		}
		return nil
	})
	return perSecond, err
}

// serve starts the server with its callers for f.
func (s Stall) serve(ctx context.Context, name string, f func(*process.Process, *drive.Callers) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.Settle+s.Stop+s.Watch+limit)
	defer cancel()
	return setup{s.Target, name, s.Work, s.Callers, s.Callers}.serve(ctx, f, s.Environment...)
}

// Recover returns how long after the stop the server answers as it did before: the median
// of the calls due within a span is no longer than a few times the median before the stop.
// It is an error if it never does.
func (s Stall) Recover(ctx context.Context, name string, perSecond float64) (took time.Duration, err error) {
	err = s.serve(ctx, name, func(server *process.Process, callers *drive.Callers) error {
		due := drive.Arrivals(rand.New(rand.NewPCG(1, 1)), perSecond, s.Settle+s.Stop+s.Watch)
		stopped := make(chan error, 1)
		began := time.Now()
		var resumed time.Duration
		go func() {
			time.Sleep(s.Settle)
			err := server.Suspend()
			time.Sleep(s.Stop)
			resumed = time.Since(began)
			stopped <- errors.Join(err, server.Resume())
		}()
		times, r := callers.OfferEach(ctx, due)
		if err := <-stopped; err != nil {
			return err
		}
		if r.Failed > 0 {
			return fmt.Errorf("%d calls failed: %s", r.Failed, r.Failure)
		}
		took, err = back(due, times, s.Settle, resumed)
		return err
	})
	return took, err
}

// back returns how long after resumed the calls take what those due before settled did.
func back(due, times []time.Duration, settled, resumed time.Duration) (time.Duration, error) {
	// Calls that were due just before the stop may have met it.
	usual := within(due, times, 0, settled-span)
	if len(usual) == 0 {
		return 0, errors.New("no call was due before the stop")
	}
	enough := max(4*usual[len(usual)/2], 2*time.Millisecond) // no p99: one hiccup would make it anything
	for at := resumed; at < due[len(due)-1]; at += span {
		if now := within(due, times, at, at+span); len(now) > 0 && now[len(now)/2] <= enough {
			return at - resumed, nil
		}
	}
	return 0, fmt.Errorf("calls take longer than %v to the end", enough)
}

// within returns the times of the calls that were due in that part of the load, sorted.
func within(due, times []time.Duration, from, to time.Duration) (part []time.Duration) {
	for n, at := range due {
		if from <= at && at < to {
			part = append(part, times[n])
		}
	}
	slices.Sort(part)
	return part
}
