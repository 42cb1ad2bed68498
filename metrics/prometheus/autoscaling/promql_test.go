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
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

const (
	scrapeInterval = 15 * time.Second
	horizon        = 2 * time.Hour // how long the series of a database last
)

// stale marks the end of a series.
var stale = math.Float64frombits(value.StaleNaN)

var promQL = parser.NewParser(parser.Options{})

// A database answers PromQL queries from series that begin at the Unix epoch and
// last for the horizon.
type database struct {
	engine *promql.Engine
	series []storage.Series

	ending []*labels.Matcher // what ends early; nil: nothing
	end    time.Duration
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
func (db *database) add(t *testing.T, name labels.Labels, sample func(at time.Duration) float64) {
	t.Helper()
	if db.ending != nil && matches(name, db.ending) {
		sample = until(db.end, sample)
	}
	chunk := chunkenc.NewXORChunk()
	appender, err := chunk.Appender()
	require.NoError(t, err)
	for at := time.Duration(0); at <= horizon; at += scrapeInterval {
		appender.Append(0, at.Milliseconds(), sample(at))
	}
	db.series = append(db.series, &storage.SeriesEntry{Lset: name, SampleIteratorFn: chunk.Iterator})
}

// cut ends those series of a pod that the selector names. It comes before they are added.
func (db *database) cut(t *testing.T, selector, pod string, end time.Duration) {
	t.Helper()
	matchers, err := promQL.ParseMetricSelector(selector)
	require.NoError(t, err)
	db.ending, db.end = append(matchers, labels.MustNewMatcher(labels.MatchEqual, "pod", pod)), end
}

// record adds what a recording rule makes of the series.
func (db *database) record(t *testing.T, rule rulefmt.Rule) {
	t.Helper()
	recorded := map[string]map[time.Duration]float64{}
	names := map[string]labels.Labels{}
	for at := time.Duration(0); at <= horizon; at += scrapeInterval {
		for _, s := range db.query(t, rule.Expr, at) {
			key := s.Metric.String()
			if recorded[key] == nil {
				recorded[key] = map[time.Duration]float64{}
				names[key] = labels.NewBuilder(s.Metric).Set("__name__", rule.Record).Labels()
			}
			recorded[key][at] = s.F
		}
	}
	for key, values := range recorded {
		db.add(t, names[key], func(at time.Duration) float64 {
			if v, ok := values[at]; ok {
				return v
			}
			return stale
		})
	}
}

// query evaluates an expression at a time.
func (db *database) query(t *testing.T, expr string, at time.Duration) promql.Vector {
	t.Helper()
	source := &storage.MockQueryable{MockQuerier: &storage.MockQuerier{SelectMockFunction: db.selectSeries}}
	query, err := db.engine.NewInstantQuery(t.Context(), source, nil, expr, time.UnixMilli(at.Milliseconds()))
	require.NoError(t, err, expr)
	defer query.Close()
	result := query.Exec(t.Context())
	require.NoError(t, result.Err, expr)
	vector, err := result.Vector()
	require.NoError(t, err, expr)
	return append(promql.Vector(nil), vector...) // Close takes the result back
}

func (db *database) selectSeries(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var selected []storage.Series
	for _, s := range db.series {
		if matches(s.Labels(), matchers) {
			selected = append(selected, s)
		}
	}
	return &seriesList{rest: selected}
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// A seriesList is a storage.SeriesSet of series that are at hand.
type seriesList struct {
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

func (l *seriesList) At() storage.Series                { return l.current }
func (l *seriesList) Err() error                        { return nil }
func (l *seriesList) Warnings() annotations.Annotations { return nil }

// metricNames returns the names of the metrics that an expression selects. A selector
// without a name is a fault: it could not be checked.
func metricNames(t *testing.T, expr string) []string {
	t.Helper()
	parsed, err := promQL.ParseExpr(expr)
	require.NoError(t, err, expr)
	var names []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			require.NotEmpty(t, selector.Name, expr)
			names = append(names, selector.Name)
		}
		return nil
	})
	require.NotEmpty(t, names, "no metric in %s", expr)
	return names
}
