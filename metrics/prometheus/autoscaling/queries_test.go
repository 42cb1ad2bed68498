package autoscaling_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
)

// adapterArgs is what the adapter fills into a rule's query for the pods of a
// deployment (pkg/naming/metrics_query.go of the adapter 0.12).
type adapterArgs struct {
	Series, LabelMatchers, GroupBy string
	LabelValuesByName              map[string]string
}

// adapterQuery returns the query that the adapter sends for the metric of an
// HPA and these pods.
func adapterQuery(t *testing.T, rule config.DiscoveryRule, metric autoscalingv2.MetricIdentifier, pods ...string) string {
	t.Helper()
	selected := metric.Selector.MatchLabels
	var matchers []string
	for _, name := range slices.Sorted(maps.Keys(selected)) {
		matchers = append(matchers, fmt.Sprintf("%s=%q", name, selected[name]))
	}
	matchers = append(matchers, `namespace="default"`, fmt.Sprintf("pod=~%q", strings.Join(pods, "|")))

	query, err := template.New("metricsQuery").Delims("<<", ">>").Parse(rule.MetricsQuery)
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, query.Execute(&text, adapterArgs{
		Series:        metric.Name,
		LabelMatchers: strings.Join(matchers, ","),
		GroupBy:       "pod",
		LabelValuesByName: map[string]string{
			"namespace": "default", "pod": strings.Join(pods, "|"),
		},
	}))
	return text.String()
}

// hpaMetric returns the one metric of the HPA, and the rule that serves it.
func hpaMetric(t *testing.T) (autoscalingv2.MetricIdentifier, config.DiscoveryRule) {
	t.Helper()
	metrics := manifest[*autoscalingv2.HorizontalPodAutoscaler](t, hpaFile).Spec.Metrics
	require.Len(t, metrics, 1)
	require.Equal(t, autoscalingv2.PodsMetricSourceType, metrics[0].Type)
	adapter, err := config.FromYAML(read(t, adapterFile))
	require.NoError(t, err)
	require.Len(t, adapter.Rules, 1)
	return metrics[0].Pods.Metric, adapter.Rules[0]
}

func TestAdapterServesTheMetricOfTheHPA(t *testing.T) {
	metric, rule := hpaMetric(t)
	var served []string
	matches := regexp.MustCompile(rule.Name.Matches)
	for name := range exported(t) {
		if found := matches.FindStringSubmatchIndex(name); found != nil {
			served = append(served, string(matches.ExpandString(nil, rule.Name.As, name, found)))
		}
	}
	require.Equal(t, []string{metric.Name}, served)
	require.Equal(t, map[string]config.GroupResource{
		"namespace": {Resource: "namespace"}, "pod": {Resource: "pod"},
	}, rule.Resources.Overrides)
}

func TestAdapterFindsTheSeriesOfEachPod(t *testing.T) {
	_, rule := hpaMetric(t)
	require.Subset(t, exported(t), metricNames(t, rule.SeriesQuery))
	db := newDatabase(t)
	db.scrape(t, podA, workers{running: 3, idle: 4})
	require.Len(t, db.query(t, rule.SeriesQuery, horizon, horizon), 1)
}

const (
	podA = "dnsserver-7d4b9-a"
	podB = "dnsserver-7d4b9-b"
)

// questions are the queries of all autoscalers about pods a and b.
func questions(t *testing.T) map[string]string {
	t.Helper()
	metric, rule := hpaMetric(t)
	queries := map[string]string{
		"HPA":  adapterQuery(t, rule, metric, podA, podB),
		"KEDA": manifest[*kedav1alpha1.ScaledObject](t, kedaFile).Spec.Triggers[0].Metadata["query"],
	}
	for _, query := range queries {
		require.Subset(t, exported(t, "up"), metricNames(t, query))
	}
	return queries
}

// sum returns the sum of what an autoscaler is given.
func (db *database) sum(t *testing.T, query string, at time.Duration) (sum float64) {
	t.Helper()
	for _, s := range db.query(t, query, at, at) {
		sum += s.Floats[0].F
	}
	return sum
}

func TestAutoscalersAreGivenTheTasksThatAreNotDone(t *testing.T) {
	for autoscaler, query := range questions(t) {
		db := newDatabase(t)
		require.Empty(t, db.query(t, query, 0, horizon), "%s: without a series there is no answer, rather than 0", autoscaler)
		db.scrape(t, podA, workers{running: 3, idle: 4, waiting: 7})
		db.scrape(t, podB, workers{running: 10})
		db.scrape(t, "another-7d4b9-c", workers{running: 100, waiting: 100})
		db.scrape(t, "dnsserver-other-7d4b9-d", workers{running: 100, waiting: 100})
		require.EqualValues(t, 20, db.sum(t, query, horizon), autoscaler)
	}
}

func TestHPAIsGivenTheTasksOfEachPod(t *testing.T) {
	metric, rule := hpaMetric(t)
	db := newDatabase(t)
	db.scrape(t, podA, workers{running: 3, idle: 4, waiting: 7})
	db.scrape(t, podB, workers{running: 10})
	got := map[string]float64{}
	for _, s := range db.query(t, adapterQuery(t, rule, metric, podA, podB), horizon, horizon) {
		got[s.Metric.Get("pod")] = s.Floats[0].F
	}
	require.Equal(t, map[string]float64{podA: 10, podB: 10}, got)
}

// Pitfall 59: the busiest pod is the first that does not answer a scrape, and
// without it the load looks like nothing.
func TestAutoscalersGetNoAnswerWhileAPodIsSilent(t *testing.T) {
	const cut = time.Hour
	for autoscaler, query := range questions(t) {
		db := newDatabase(t)
		db.scrapeUntil(t, podA, workers{running: 900, waiting: 100}, cut)
		db.scrape(t, podB, workers{running: 20})
		require.EqualValues(t, 1020, db.sum(t, query, cut-time.Second), autoscaler)
		require.Empty(t, db.query(t, query, cut, horizon), autoscaler)
	}
}

// The same with every single series of a pod that answers.
func TestAutoscalersGetNoAnswerWithoutOneSeries(t *testing.T) {
	const cut = time.Hour
	asked := questions(t)
	for _, series := range []string{`hemlock_workers{state="running",pod=%q}`, "hemlock_tasks_waiting{pod=%q}"} {
		for autoscaler, query := range asked {
			db := newDatabase(t)
			db.scrape(t, podA, workers{running: 900, waiting: 100})
			db.scrape(t, podB, workers{running: 20})
			db.cut(t, fmt.Sprintf(series, podA), cut)
			require.NotEmpty(t, db.query(t, query, cut-time.Second, cut-time.Second), autoscaler)
			require.Empty(t, db.query(t, query, cut, horizon), "%s without %s", autoscaler, series)
		}
	}
}

// A pod that has ended is not silent: no answer is expected from it.
func TestPodThatEndedIsNotWaitedFor(t *testing.T) {
	const end = time.Hour
	for autoscaler, query := range questions(t) {
		db := newDatabase(t)
		db.scrape(t, podA, workers{running: 900, waiting: 100})
		db.scrape(t, podB, workers{running: 20})
		db.cut(t, fmt.Sprintf("{pod=%q}", podA), end)
		require.EqualValues(t, 20, db.sum(t, query, end+2*time.Minute), autoscaler)
	}
}
