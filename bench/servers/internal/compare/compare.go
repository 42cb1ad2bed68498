package compare

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/hemlock/bench/servers/internal/drive"
	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/profile"
	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/target"
	"example.com/hemlock/bench/servers/internal/work"
)

// limit is how long a measurement may take beside its warm-up and duration. It
// is longer than callers wait for an answer.
const limit = time.Minute

// errLate ends a round that takes longer than what is left of the budget.
var errLate = errors.New("no time is left")

// Run measures everything that the plan names, round by round, so that a cell is
// measured at several times. It returns what it has measured; the error says why
// it stopped early. A round that the budget has no time for is left out, except that
// the report keeps a part of the first round.
func (p Plan) Run(ctx context.Context) (*report.Report, error) {
	all, asked := p.contests(), p.Settings.Rounds
	r := &report.Report{}
	cut := fit(&p.Settings, measurements(all))
	began, longest := time.Now(), time.Duration(0)
	if p.Settings.Budget > 0 {
		p.end = began.Add(p.Settings.Budget)
	}
	for round := range p.Settings.Rounds {
		start, whole := time.Now(), len(r.Measurements)
		if round > 0 && p.late(longest) {
			break
		}
		switch err := p.round(ctx, r, all, round); {
		case err == errLate && round > 0:
			r.Measurements = r.Measurements[:whole]
			return p.finish(r, asked, cut), nil
		case err == errLate:
			r.Rounds = 1
			return p.finish(r, asked, cut, "the first round is not whole"), nil
		case err != nil:
			return p.finish(r, asked, cut), err
		}
		r.Rounds++
		longest = max(longest, time.Since(start))
	}
	return p.finish(r, asked, cut), nil
}

// late reports whether what takes that long does not fit in the rest of the budget.
func (p Plan) late(takes time.Duration) bool {
	return !p.end.IsZero() && time.Now().Add(takes).After(p.end)
}

// finish records in the report what the budget has cut.
func (p Plan) finish(r *report.Report, asked int, cuts ...string) *report.Report {
	if r.Rounds < asked {
		cuts = append([]string{fmt.Sprintf("rounds: %d instead of %d", r.Rounds, asked)}, cuts...)
	}
	cuts = slices.DeleteFunc(cuts, func(cut string) bool { return cut == "" })
	if len(cuts) > 0 && p.Settings.Budget > 0 {
		r.Cut = fmt.Sprintf("%s, for a budget of %v", strings.Join(cuts, ", "), p.Settings.Budget)
	}
	r.Settings = p.Settings
	r.Settings.Rounds = asked
	return r
}

func (p Plan) round(ctx context.Context, r *report.Report, all []contest, round int) error {
	var saturation float64 // of the baseline in this round, without a load
	for i, c := range all {
		fmt.Fprintf(p.Log, "round %d of %d, %d of %d: %v\n", round+1, p.Settings.Rounds, i+1, len(all), c.cell)
		for _, name := range c.turns(round) {
			if p.late(0) {
				return errLate
			}
			m := report.Measurement{Cell: c.cell, Mode: name, Round: round, Offered: saturation * float64(c.cell.Load) / 100}
			if c.cell.Load > 0 && m.Offered == 0 {
				continue // the baseline answered nothing, which is a failure already
			}
			if err := p.measure(ctx, c, &m); err != nil {
				return fmt.Errorf("%s, %s: %w", c.cell.Target, name, err)
			}
			if c.cell.Load == 0 && name == mode.Baseline {
				saturation, _ = report.Rate(m)
			}
			r.Measurements = append(r.Measurements, m)
		}
	}
	return nil
}

// measure measures one mode at a fresh server.
func (p Plan) measure(ctx context.Context, c contest, m *report.Measurement) error {
	ctx, cancel := context.WithTimeout(ctx, p.Settings.Warmup+p.Settings.Duration+limit)
	defer cancel()
	w := work.Work{Stack: c.cell.Stack, Garbage: p.Settings.Garbage, Ballast: c.cell.Ballast}
	s := setup{c.target, m.Mode, w, c.cell.Callers, p.Settings.Connections}
	return s.serve(ctx, func(server *process.Process, callers *drive.Callers) error {
		return p.load(ctx, m, server, callers)
	}, p.environment()...)
}

// A setup is a server and its callers.
type setup struct {
	target      target.Target
	mode        string
	work        work.Work
	callers     int
	connections int // that they share
}

// serve starts both for f, and ends them.
func (s setup) serve(ctx context.Context, f func(*process.Process, *drive.Callers) error, environment ...string) (err error) {
	server, err := process.Start(ctx, process.Config{Target: s.target.Name, Mode: s.mode, Work: s.work}, environment...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	callers, err := drive.Dial(s.target, server.Endpoint, s.callers, s.connections)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, callers.Close()) }()
	return f(server, callers)
}

// load warms the server up and measures it. A call that fails while it warms up
// counts as well.
func (p Plan) load(ctx context.Context, m *report.Measurement, server *process.Process, callers *drive.Callers) (err error) {
	warm := ask(ctx, m, callers, p.Settings.Warmup)
	if m.Before, err = server.Counts(); err != nil {
		return err
	}
	if p.ProfileTo == "" {
		m.Result = ask(ctx, m, callers, p.Settings.Duration)
	} else if err := p.profile(ctx, m, server, callers); err != nil {
		return err
	}
	m.After, err = server.Counts()
	m.Failed += warm.Failed
	if m.Failure == "" {
		m.Failure = warm.Failure
	}
	return err
}

// ask lets the callers ask, each as soon as it has its answer, or at the offered
// rate. All modes of a round have the same arrivals.
func ask(ctx context.Context, m *report.Measurement, callers *drive.Callers, duration time.Duration) drive.Result {
	if m.Load == 0 {
		return callers.Run(ctx, duration)
	}
	random := rand.New(rand.NewPCG(uint64(m.Round), uint64(m.Load)))
	return callers.Offer(ctx, drive.Arrivals(random, m.Offered, duration))
}

// profile measures under the profiler, and keeps the profile.
func (p Plan) profile(ctx context.Context, m *report.Measurement, server *process.Process, callers *drive.Callers) error {
	if err := server.StartProfile(); err != nil {
		return err
	}
	m.Result = ask(ctx, m, callers, p.Settings.Duration)
	data, err := server.StopProfile()
	if err != nil {
		return err
	}
	if m.Shares, err = profile.Shares(data); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%dKiB-%dMiB-%d-%d-%s-%d.pprof", m.Target, m.Stack, m.Ballast, m.Callers, m.Load, m.Mode, m.Round+1)
	return os.WriteFile(filepath.Join(p.ProfileTo, strings.ReplaceAll(name, "/", "-")), data, 0o644)
}

// environment returns the variables that a server has beside those of this
// process.
func (p Plan) environment() []string {
	var variables []string
	if p.Settings.GOGC != "" {
		variables = append(variables, "GOGC="+p.Settings.GOGC)
	}
	if p.Settings.GODEBUG != "" {
		variables = append(variables, "GODEBUG="+p.Settings.GODEBUG)
	}
	return variables
}
