package deploy_test

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"
)

const alertsFile = "../metrics/prometheus/alerts.yaml"

// alerts reads the rules as Prometheus does: strictly, with every expression and
// every template parsed.
func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	rules := map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			rules[r.Alert] = r
		}
	}
	return rules
}

// fires reports whether the alert of a rule fires at any time: whether its
// expression holds without a gap for as long as the rule asks.
func (db *database) fires(t *testing.T, rule rulefmt.Rule) bool {
	t.Helper()
	const evaluation = time.Minute
	since := time.Duration(-1)
	for at := time.Duration(0); at <= horizon; at += evaluation {
		switch holds := len(db.query(t, rule.Expr, at)) > 0; {
		case !holds:
			since = -1
		case since < 0:
			since = at
		}
		if since >= 0 && at-since >= time.Duration(rule.For) {
			return true
		}
	}
	return false
}

func TestAlertsNameOnlyWhatIsExported(t *testing.T) {
	rules := alerts(t)
	require.Len(t, rules, 3)
	for name, rule := range rules {
		require.Subset(t, exported(t), set(metricNames(t, rule.Expr)), name)
		require.Contains(t, rule.Labels, "severity", name)
		require.Contains(t, rule.Annotations, "summary", name)
		require.Contains(t, rule.Annotations, "description", name)
	}
}

func alertLabels(metric string, more ...string) labels.Labels {
	return labels.FromStrings(append([]string{
		"__name__", metric, "job", "dnsserver", "instance", "dnsserver-a:9090", "pool", "dns",
	}, more...)...)
}

// A curve is a value over time, in minutes.
type curve func(minute float64) float64

func (c curve) at(t time.Duration) float64 { return c(t.Minutes()) }

// peak is the largest value of the curve so far, which is asked for in the order
// of time.
func (c curve) peak() func(time.Duration) float64 {
	largest := 0.0
	return func(t time.Duration) float64 {
		largest = max(largest, c.at(t))
		return largest
	}
}

func TestGrowthWithoutBoundFires(t *testing.T) {
	rule := alerts(t)["HemlockWorkersGrowWithoutBound"]
	for what, tt := range map[string]struct {
		running curve
		fires   bool
	}{
		"leak of 30 tasks a minute": {func(m float64) float64 { return 30 * m }, true},
		"leak under a load that swings": {
			func(m float64) float64 { return 40*m + 400*(1+math.Sin(m)) }, true,
		},
		"load that doubles every 15 minutes": {func(m float64) float64 { return 50 * math.Exp2(m/15) }, true},
		"steady load":                        {func(float64) float64 { return 5000 }, false},
		"load that swings each hour":         {func(m float64) float64 { return 5000 + 4000*math.Sin(m/10) }, false},
		"step that stays":                    {step(60, math.Inf(1)), false},
		"spike that ends":                    {step(60, 75), false},
		"spikes that return":                 {func(m float64) float64 { return 10 + 8000*math.Floor(math.Mod(m, 20)/18) }, false},
		"growth of a small pool":             {func(m float64) float64 { return 8 * m }, false},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDatabase(t)
			db.add(t, alertLabels("hemlock_workers", "state", "running"), tt.running.at)
			db.add(t, alertLabels("hemlock_workers", "state", "idle"), constant(20_000))
			db.add(t, alertLabels("hemlock_workers_peak"), tt.running.peak())
			require.Equal(t, tt.fires, db.fires(t, rule))
		})
	}
}

// step is 50 tasks, and 5000 from one minute to another.
func step(from, to float64) curve {
	return func(m float64) float64 {
		if m < from || m >= to {
			return 50
		}
		return 5000
	}
}

func TestSpawnRateFires(t *testing.T) {
	rule := alerts(t)["HemlockSpawnRateHigh"]
	perMinute := func(n float64) curve { return func(m float64) float64 { return n * m } }
	for what, tt := range map[string]struct {
		spawned, submitted curve
		fires              bool
	}{
		"every second task":          {perMinute(3000), perMinute(6000), true},
		"one task in a thousand":     {perMinute(3000), perMinute(3_000_000), false},
		"a server with little to do": {perMinute(60), perMinute(120), false},
		"one burst of three minutes": {
			func(m float64) float64 { return 3000 * min(max(m-60, 0), 3) },
			func(m float64) float64 { return 3000 * min(max(m-60, 0), 3) }, false,
		},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDatabase(t)
			db.add(t, alertLabels("hemlock_workers_spawned_total"), tt.spawned.at)
			db.add(t, alertLabels("hemlock_tasks_submitted_total"), tt.submitted.at)
			require.Equal(t, tt.fires, db.fires(t, rule))
		})
	}
}

func TestPanicFires(t *testing.T) {
	rule := alerts(t)["HemlockTasksPanic"]
	for panics, fires := range map[float64]bool{0: false, 1: true} {
		db := newDatabase(t)
		db.add(t, alertLabels("hemlock_tasks_panicked_total"),
			curve(func(m float64) float64 { return panics * math.Floor(m/60) }).at)
		require.Equal(t, fires, db.fires(t, rule))
	}
}
