package autoscaling_test

import (
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"
)

const alertsFile = "../alerts.yaml"

// rules reads the rules as Prometheus does: strictly, with every expression and
// every template parsed. It returns those that alert, by name, and those that
// record.
func rules(t *testing.T) (alerts map[string]rulefmt.Rule, recordings []rulefmt.Rule) {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	alerts = map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		require.EqualValues(t, scrapeInterval, g.Interval)
		for _, r := range g.Rules {
			if r.Record != "" {
				recordings = append(recordings, r)
				continue
			}
			alerts[r.Alert] = r
		}
	}
	return alerts, recordings
}

// fires returns when the alert of this name fires first, or never: when its
// expression has held without a gap for as long as the rule asks.
func (db *database) fires(t *testing.T, name string) time.Duration {
	t.Helper()
	alerts, recordings := rules(t)
	require.Contains(t, alerts, name)
	for _, r := range recordings {
		db.record(t, r)
	}
	rule, first := alerts[name], never
	for _, s := range db.query(t, rule.Expr, 0, horizon) {
		since := s.Floats[0].T
		for i, sample := range s.Floats {
			if i > 0 && sample.T-s.Floats[i-1].T > scrapeInterval.Milliseconds() {
				since = sample.T
			}
			if held := sample.T - since; held >= time.Duration(rule.For).Milliseconds() {
				first = min(first, time.Duration(sample.T)*time.Millisecond)
				break
			}
		}
	}
	return first
}

func TestAlertsNameOnlyWhatIsExported(t *testing.T) {
	alerts, recordings := rules(t)
	require.Len(t, alerts, 6)
	known := exported(t, "up")
	for _, rule := range recordings {
		require.Subset(t, known, metricNames(t, rule.Expr), rule.Record)
		known[rule.Record] = true
	}
	for name, rule := range alerts {
		require.Subset(t, known, metricNames(t, rule.Expr), name)
		require.Contains(t, rule.Labels, "severity", name)
		require.Contains(t, rule.Annotations, "summary", name)
		require.Contains(t, rule.Annotations, "description", name)
	}
}

func alertLabels(metric string, more ...string) labels.Labels {
	return labels.FromStrings(append([]string{
		"__name__", metric, "job", "dnsserver", "instance", "dnsserver-7d4b9-a:9090", "pool", "dns",
	}, more...)...)
}

// peak is the largest value of the curve so far. It must be asked for in the order of
// time.
func (c curve) peak() curve {
	largest := 0.0
	return func(m float64) float64 {
		largest = max(largest, c(m))
		return largest
	}
}

// addTasks stores the gauges of a pool with tasks that run and tasks that wait.
func (db *database) addTasks(running, waiting curve) {
	db.add(alertLabels("hemlock_workers", "state", "running"), running)
	db.add(alertLabels("hemlock_workers", "state", "idle"), flat(20_000))
	db.add(alertLabels("hemlock_tasks_waiting"), waiting)
	db.add(alertLabels("hemlock_workers_peak"), running.peak())
}

func flat(value float64) curve { return func(float64) float64 { return value } }

// grows is a number of tasks, and perMinute more each minute from one minute on.
func grows(from, base, perMinute float64) curve {
	return func(m float64) float64 { return base + perMinute*max(m-from, 0) }
}

// Pitfall 53: an alert that needs an hour of history is too late.
func TestGrowthWithoutBoundFiresWithinMinutes(t *testing.T) {
	for what, tt := range map[string]struct {
		running, waiting curve
		begins           time.Duration // never: it must not fire
	}{
		"leak of 1,000 a minute":             {grows(60, 50, 1000), flat(0), time.Hour},
		"leak of 1,000 a minute among 5,000": {grows(60, 5000, 1000), flat(0), time.Hour},
		"leak in a young process":            {grows(0, 0, 1000), flat(0), 0},
		"tasks that wait, ever more":         {flat(50), grows(60, 0, 1000), time.Hour},
		"load that doubles each two minutes": {
			func(m float64) float64 { return 50 * math.Exp2(max(m-60, 0)/2) }, flat(0), time.Hour + 2*time.Minute,
		},
		"steady load":                        {flat(5000), flat(5000), never},
		"load that swings each hour":         {swings(10), flat(0), never},
		"load that swings each ten minutes":  {swings(1.6), flat(0), never},
		"step that stays":                    {step(60, math.Inf(1)), flat(0), never},
		"spike that ends":                    {step(60, 75), flat(0), never},
		"spikes that return":                 {spikes, flat(0), never},
		"growth of a small pool":             {grows(60, 10, 8), flat(0), never},
		"load that rises to where it was":    {returns, flat(0), never},
		"step in a young process":            {step(1, math.Inf(1)), flat(0), never},
		"steady load of a process just born": {flat(5000), flat(0), never},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDatabase(t)
			db.addTasks(tt.running, tt.waiting)
			switch at := db.fires(t, "HemlockTasksGrowWithoutBound"); tt.begins {
			case never:
				require.Equal(t, never, at)
			default:
				require.Greater(t, at, tt.begins)
				require.LessOrEqual(t, at, tt.begins+10*time.Minute)
			}
		})
	}
}

func TestLeakFires(t *testing.T) {
	for what, tt := range map[string]struct {
		running, waiting curve
		fires            bool
	}{
		"leak of 30 tasks a minute": {grows(0, 0, 30), flat(0), true},
		"leak under a load that swings": {
			func(m float64) float64 { return 40*m + 400*(1+math.Sin(m)) }, flat(0), true,
		},
		"tasks that wait, ever more":         {flat(50), grows(0, 0, 30), true},
		"load that doubles every 15 minutes": {func(m float64) float64 { return 50 * math.Exp2(m/15) }, flat(0), true},
		"steady load":                        {flat(5000), flat(0), false},
		"load that swings each hour":         {swings(10), flat(0), false},
		"step that stays":                    {step(60, math.Inf(1)), flat(0), false},
		"spike that ends":                    {step(60, 75), flat(0), false},
		"spikes that return":                 {spikes, flat(0), false},
		"growth of a small pool":             {grows(0, 0, 8), flat(0), false},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDatabase(t)
			db.addTasks(tt.running, tt.waiting)
			require.Equal(t, tt.fires, db.fires(t, "HemlockTasksLeak") != never)
		})
	}
}

// swings is a load between 1,000 and 9,000. Its period is 2 pi times slowness, in
// minutes.
func swings(slowness float64) curve {
	return func(m float64) float64 { return 5000 + 4000*math.Sin(m/slowness) }
}

func spikes(m float64) float64 { return 10 + 8000*math.Floor(math.Mod(m, 20)/18) }

// returns is a load of 9,000 that goes away and comes back within ten minutes.
func returns(m float64) float64 { return 50 + 8950*min(max(10-m, m-60, 0)/10, 1) }

// step is 50 tasks, and 5000 from one minute to another.
func step(from, to float64) curve {
	return func(m float64) float64 {
		if m < from || m >= to {
			return 50
		}
		return 5000
	}
}

func perMinute(n float64) curve { return grows(0, 0, n) }

// from gives a counter the value born when it is scraped first.
func (c curve) from(born float64) curve { return func(m float64) float64 { return born + c(m) } }

func TestTasksThatWaitForLongFire(t *testing.T) {
	for what, tt := range map[string]struct {
		waiting, completed curve
		fires              bool
	}{
		"200 ms each":                          {flat(200), perMinute(60_000), true},
		"the same, counted from before":        {flat(200), perMinute(60_000).from(1e9), true},
		"one for ever":                         {flat(1), flat(0), true},
		"one for ever, counted from before":    {flat(1), flat(1e9), true},
		"20 ms each":                           {flat(200), perMinute(600_000), false},
		"none, and none completed":             {flat(0), flat(0), false},
		"none, counted from before":            {flat(0), flat(1e9), false},
		"a burst of two minutes":               {step(60, 62), perMinute(600_000), false},
		"a burst of ten minutes":               {step(60, 70), perMinute(600_000), true},
		"none in a server that does very much": {flat(0), perMinute(6_000_000), false},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDatabase(t)
			db.add(alertLabels("hemlock_tasks_waiting"), tt.waiting)
			db.add(alertLabels("hemlock_tasks_completed_total"), tt.completed)
			require.Equal(t, tt.fires, db.fires(t, "HemlockTasksWait") != never)
		})
	}
}

func TestSpawnRateFires(t *testing.T) {
	for what, tt := range map[string]struct {
		spawned, submitted curve
		fires              bool
	}{
		"every second task":                     {perMinute(3000), perMinute(6000), true},
		"the same, counted from before":         {perMinute(3000).from(1e6), perMinute(6000).from(1e7), true},
		"one task in a thousand":                {perMinute(3000), perMinute(3_000_000), false},
		"many before, and one in a thousand":    {perMinute(3000).from(1e9), perMinute(3_000_000).from(1e9), false},
		"many before, and none since":           {flat(1e6), flat(1e6), false},
		"a server with little to do":            {perMinute(60), perMinute(120), false},
		"one burst of three minutes":            {burst, burst, false},
		"one burst of three minutes after many": {curve(burst).from(1e6), curve(burst).from(1e6), false},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDatabase(t)
			db.add(alertLabels("hemlock_workers_spawned_total"), tt.spawned)
			db.add(alertLabels("hemlock_tasks_submitted_total"), tt.submitted)
			require.Equal(t, tt.fires, db.fires(t, "HemlockSpawnRateHigh") != never)
		})
	}
}

func burst(m float64) float64 { return 3000 * min(max(m-60, 0), 3) }

// Pitfall 60: increase() does not see a counter that is born above 0.
func TestPanicFires(t *testing.T) {
	hourly := func(m float64) float64 { return math.Floor(m / 60) }
	for what, tt := range map[string]struct {
		panicked curve
		at       time.Duration
	}{
		"none":                          {flat(0), never},
		"one after an hour":             {hourly, time.Hour},
		"three before the first scrape": {flat(3), 0},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDatabase(t)
			db.add(alertLabels("hemlock_tasks_panicked_total"), tt.panicked)
			require.Equal(t, tt.at, db.fires(t, "HemlockTasksPanic"))
		})
	}
}

// An old panic does not fire for ever.
func TestPanicBeforeTheFirstScrapeIsForgotten(t *testing.T) {
	alerts, _ := rules(t)
	db := newDatabase(t)
	db.add(alertLabels("hemlock_tasks_panicked_total"), flat(3))
	require.NotEmpty(t, db.query(t, alerts["HemlockTasksPanic"].Expr, 4*time.Minute, 4*time.Minute))
	require.Empty(t, db.query(t, alerts["HemlockTasksPanic"].Expr, 6*time.Minute, horizon))
}

func TestSilentTargetFires(t *testing.T) {
	const cut = time.Hour
	for what, tt := range map[string]struct{ silent, gone, fires time.Duration }{
		"answers":              {never, never, never},
		"silent":               {cut, never, cut + time.Minute},
		"silent for a minute":  {cut, cut + time.Minute, never},
		"ended, and not there": {never, cut, never},
	} {
		db := newDatabase(t)
		db.scrapeUntil(t, podA, workers{running: 1}, tt.silent)
		db.cut(t, fmt.Sprintf("{pod=%q}", podA), tt.gone)
		require.Equal(t, tt.fires, db.fires(t, "HemlockTargetSilent"), what)
	}
	db := newDatabase(t)
	db.add(alertLabels("up"), flat(0))
	require.Equal(t, never, db.fires(t, "HemlockTargetSilent"), "no pool was ever there")
}
