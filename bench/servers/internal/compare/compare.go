package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/hemlock/bench/servers/internal/drive"
	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/profile"
	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/work"
)

// limit is how long a measurement may take beside its warm-up and duration. It
// is longer than callers wait for an answer.
const limit = time.Minute

// Run measures everything that the plan names, round by round, so that a cell is
// measured at several times. It returns what it has measured; the error says why
// it stopped early.
func (p Plan) Run(ctx context.Context) (*report.Report, error) {
	all, asked := p.contests(), p.Settings.Rounds
	r := &report.Report{}
	cut := fit(&p.Settings, measurements(all))
	began, longest := time.Now(), time.Duration(0)
	for round := range p.Settings.Rounds {
		start := time.Now()
		if p.Settings.Budget > 0 && start.Add(longest).After(began.Add(p.Settings.Budget)) {
			break
		}
		if err := p.round(ctx, r, all, round); err != nil {
			return p.finish(r, asked, cut), err
		}
		r.Rounds++
		longest = max(longest, time.Since(start))
	}
	return p.finish(r, asked, cut), nil
}

// finish says in the report what the budget has cut.
func (p Plan) finish(r *report.Report, asked int, cut string) *report.Report {
	var cuts []string
	if r.Rounds < asked {
		cuts = append(cuts, fmt.Sprintf("rounds: %d instead of %d", r.Rounds, asked))
	}
	if cut != "" {
		cuts = append(cuts, cut)
	}
	if len(cuts) > 0 && p.Settings.Budget > 0 {
		r.Cut = fmt.Sprintf("%s, for a budget of %v", strings.Join(cuts, ", "), p.Settings.Budget)
	}
	r.Settings = p.Settings
	r.Settings.Rounds = asked
	return r
}

func (p Plan) round(ctx context.Context, r *report.Report, all []contest, round int) error {
	for i, c := range all {
		fmt.Fprintf(p.Log, "round %d of %d, %d of %d: %s, %d KiB, %d MiB, %d callers\n", round+1, p.Settings.Rounds, i+1, len(all),
			c.cell.Target, c.cell.Stack, c.cell.Ballast, c.cell.Callers)
		for _, mode := range c.turns(round) {
			m, err := p.measure(ctx, c, mode, round)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", c.cell.Target, mode, err)
			}
			r.Measurements = append(r.Measurements, m)
		}
	}
	return nil
}

// measure measures one mode at a fresh server.
func (p Plan) measure(ctx context.Context, c contest, mode string, round int) (m report.Measurement, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Settings.Warmup+p.Settings.Duration+limit)
	defer cancel()
	server, err := process.Start(ctx, process.Config{
		Target: c.cell.Target,
		Mode:   mode,
		Work:   work.Work{Stack: c.cell.Stack, Garbage: p.Settings.Garbage, Ballast: c.cell.Ballast},
	}, p.environment()...)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	callers, err := drive.Dial(c.target, server.Endpoint, c.cell.Callers, p.Settings.Connections)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, callers.Close()) }()
	m = report.Measurement{Cell: c.cell, Mode: mode, Round: round}
	return m, p.load(ctx, &m, server, callers)
}

// load warms the server up and measures it. A call that fails while it warms up
// counts as well.
func (p Plan) load(ctx context.Context, m *report.Measurement, server *process.Process, callers *drive.Callers) (err error) {
	warm := callers.Run(ctx, p.Settings.Warmup)
	if m.Before, err = server.Counts(); err != nil {
		return err
	}
	if p.ProfileTo == "" {
		m.Result = callers.Run(ctx, p.Settings.Duration)
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

// profile measures under the profiler, and keeps the profile.
func (p Plan) profile(ctx context.Context, m *report.Measurement, server *process.Process, callers *drive.Callers) error {
	if err := server.StartProfile(); err != nil {
		return err
	}
	m.Result = callers.Run(ctx, p.Settings.Duration)
	data, err := server.StopProfile()
	if err != nil {
		return err
	}
	if m.Shares, err = profile.Shares(data); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%dKiB-%dMiB-%d-%s-%d.pprof", m.Target, m.Stack, m.Ballast, m.Callers, m.Mode, m.Round+1)
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
