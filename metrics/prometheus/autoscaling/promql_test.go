package autoscaling_test

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

const (
	scrapeInterval = 15 * time.Second
	horizon        = 2 * time.Hour // how long the series of a database last
)

// stale marks the end of a series.
var stale = math.Float64frombits(value.StaleNaN)

var promQL = parser.NewParser(parser.Options{})

// A curve is a value over time, in minutes.
type curve func(minute float64) float64

// A database answers PromQL queries from series that begin at the Unix epoch and
// last for the horizon.
type database struct {
	engine *promql.Engine
	series []promql.Series
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples:           1_000_000,
		Timeout:              time.Minute,
		EnableAtModifier:     true,
		EnableNegativeOffset: true,
		Parser:               promQL,
	})
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	return &database{engine: engine}
}

// add stores a series that was scraped at the usual interval and had this value
// at each time.
func (db *database) add(name labels.Labels, values curve) {
	s := promql.Series{Metric: name}
	for at := time.Duration(0); at <= horizon; at += scrapeInterval {
		s.Floats = append(s.Floats, promql.FPoint{T: at.Milliseconds(), F: values(at.Minutes())})
	}
	db.series = append(db.series, s)
}

// cut ends the series that the selector names, as Prometheus does: they are stale then.
func (db *database) cut(t *testing.T, selector string, end time.Duration) {
	t.Helper()
	matchers, err := promQL.ParseMetricSelector(selector)
	require.NoError(t, err)
	for _, s := range db.series {
		for i, sample := range s.Floats {
			if sample.T >= end.Milliseconds() && labels.Selector(matchers).Matches(s.Metric) {
				s.Floats[i].F = stale
			}
		}
	}
}

// record adds what a recording rule makes of the series.
func (db *database) record(t *testing.T, rule rulefmt.Rule) {
	t.Helper()
	for _, s := range db.query(t, rule.Expr, 0, horizon) {
		s.Metric = labels.NewBuilder(s.Metric).Set("__name__", rule.Record).Labels()
		db.series = append(db.series, s)
	}
}

// query evaluates an expression at the usual interval.
func (db *database) query(t *testing.T, expr string, from, to time.Duration) promql.Matrix {
	t.Helper()
	source := &storage.MockQueryable{MockQuerier: &storage.MockQuerier{SelectMockFunction: db.selectSeries}}
	query, err := db.engine.NewRangeQuery(t.Context(), source, nil, expr,
		time.UnixMilli(from.Milliseconds()), time.UnixMilli(to.Milliseconds()), scrapeInterval)
	require.NoError(t, err, expr)
	t.Cleanup(query.Close) // which takes the result back
	result := query.Exec(t.Context())
	require.NoError(t, result.Err, expr)
	answer, err := result.Matrix()
	require.NoError(t, err, expr)
	return answer
}

func (db *database) selectSeries(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	selected := &seriesList{SeriesSet: storage.EmptySeriesSet()}
	for _, s := range db.series {
		if labels.Selector(matchers).Matches(s.Metric) {
			selected.rest = append(selected.rest, promql.NewStorageSeries(s))
		}
	}
	return selected
}

// A seriesList is a set of series that are at hand: no error and no warning comes up.
type seriesList struct {
	storage.SeriesSet
	current storage.Series
	rest    []storage.Series
}

func (l *seriesList) Next() bool {
	if len(l.rest) == 0 {
		return false
	}
	l.current, l.rest = l.rest[0], l.rest[1:]
	return true
}

func (l *seriesList) At() storage.Series { return l.current }

// metricNames returns the names of the metrics that an expression selects. A selector
// without a name is a fault: it could not be checked.
func metricNames(t *testing.T, expr string) map[string]bool {
	t.Helper()
	parsed, err := promQL.ParseExpr(expr)
	require.NoError(t, err, expr)
	names := map[string]bool{}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			require.NotEmpty(t, selector.Name, expr)
			names[selector.Name] = true
		}
		return nil
	})
	require.NotEmpty(t, names, "no metric in %s", expr)
	return names
}
