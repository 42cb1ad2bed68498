package deploy_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"sigs.k8s.io/prometheus-adapter/pkg/config"
)

// adapterArgs is what the adapter fills into a rule's query for the pods of a
// deployment (pkg/naming/metrics_query.go of the adapter 0.12).
type adapterArgs struct{ Series, LabelMatchers, GroupBy string }

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
	}))
	return text.String()
}

// hpaMetric returns the one metric of the HPA, and the rule that serves it.
func hpaMetric(t *testing.T) (autoscalingv2.MetricIdentifier, config.DiscoveryRule) {
	t.Helper()
	metrics := manifest[*autoscalingv2.HorizontalPodAutoscaler](t, hpaFile).Spec.Metrics
	require.Len(t, metrics, 1)
	require.Equal(t, autoscalingv2.PodsMetricSourceType, metrics[0].Type)
	rules := adapterRules(t)
	require.Len(t, rules, 1)
	return metrics[0].Pods.Metric, rules[0]
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
	require.Subset(t, exported(t), set(metricNames(t, rule.SeriesQuery)))
	db := newDatabase(t)
	db.scrape(t, "dnsserver-a", workers{running: 3, idle: 4})
	require.Len(t, db.query(t, rule.SeriesQuery, horizon), 2, "one series a state")
}

func TestHPAIsGivenTheRunningTasksOfEachPod(t *testing.T) {
	metric, rule := hpaMetric(t)
	db := newDatabase(t)
	db.scrape(t, "dnsserver-a", workers{running: 3, idle: 4})
	db.scrape(t, "dnsserver-b", workers{running: 10, idle: 0})
	db.scrape(t, "another-c", workers{running: 100})

	got := map[string]float64{}
	for _, s := range db.query(t, adapterQuery(t, rule, metric, "dnsserver-a", "dnsserver-b"), horizon) {
		got[s.Metric.Get("pod")] = s.F
	}
	require.Equal(t, map[string]float64{"dnsserver-a": 3, "dnsserver-b": 10}, got)
}

func TestKEDAIsGivenTheRunningTasksOfAllPods(t *testing.T) {
	query := manifest[*kedav1alpha1.ScaledObject](t, kedaFile).Spec.Triggers[0].Metadata["query"]
	require.Subset(t, exported(t), set(metricNames(t, query)))
	db := newDatabase(t)
	require.Empty(t, db.query(t, query, horizon), "without a series there is no answer, rather than 0")
	db.scrape(t, "dnsserver-a", workers{running: 3, idle: 4})
	db.scrape(t, "dnsserver-b", workers{running: 10, idle: 0})
	got := db.query(t, query, horizon)
	require.Len(t, got, 1)
	require.EqualValues(t, 13, got[0].F)
}

func set(names []string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}
