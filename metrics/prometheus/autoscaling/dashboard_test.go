package autoscaling_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const dashboardFile = "../dashboard.json"

// dashboard is what the tests look at. No Go type of Grafana for it could be required
// here. Grafana ignores fields that it does not know.
type dashboard struct {
	Title      string
	UID        string
	Panels     []panel
	Templating struct{ List []variable }
}

type panel struct {
	ID          int
	Title       string
	Description string
	Datasource  struct{ UID string }
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct{ RefID, Expr, LegendFormat string }
}

type variable struct{ Name, Type, Definition string }

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	require.NoError(t, json.Unmarshal(read(t, dashboardFile), &d))
	require.NotEmpty(t, d.Title)
	require.NotEmpty(t, d.UID)
	require.NotEmpty(t, d.Panels)
	return d
}

// chosen puts in what Grafana does if everything is selected.
var chosen = strings.NewReplacer(
	"$__rate_interval", "1m", "$job", ".+", "$instance", ".+", "$pool", ".+",
)

func TestDashboardShowsEveryMetricAndNoOther(t *testing.T) {
	shown := map[string]bool{}
	for _, p := range loadDashboard(t).Panels {
		for _, target := range p.Targets {
			maps.Copy(shown, metricNames(t, chosen.Replace(target.Expr)))
		}
	}
	require.Equal(t, exported(t), shown)
}

func TestDashboardQueriesHaveAnswersWithTheirLegendsLabels(t *testing.T) {
	db := newDatabase(t)
	db.scrape(t, "dnsserver-7d4b9-a", workers{running: 3, idle: 4})
	db.scrape(t, "dnsserver-7d4b9-b", workers{running: 10, idle: 1})
	legend := regexp.MustCompile(`{{(\w+)}}`)
	for _, p := range loadDashboard(t).Panels {
		for _, target := range p.Targets {
			answer := db.query(t, chosen.Replace(target.Expr), horizon, horizon)
			require.NotEmpty(t, answer, target.Expr)
			for _, label := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				require.NotEmpty(t, answer[0].Metric.Get(label[1]), "%s: %s", p.Title, target.LegendFormat)
			}
		}
	}
}

func TestDashboardVariablesAskForWhatIsExported(t *testing.T) {
	values := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	db := newDatabase(t)
	db.scrape(t, "dnsserver-7d4b9-a", workers{running: 1})
	defined := map[string]bool{}
	for _, v := range loadDashboard(t).Templating.List {
		defined[v.Name] = true
		if v.Type != "query" {
			continue
		}
		parts := values.FindStringSubmatch(v.Definition)
		require.NotNil(t, parts, v.Definition)
		answer := db.query(t, chosen.Replace(parts[1]), horizon, horizon)
		require.NotEmpty(t, answer, v.Definition)
		require.NotEmpty(t, answer[0].Metric.Get(parts[2]), v.Definition)
	}
	require.Equal(t, map[string]bool{"datasource": true, "job": true, "instance": true, "pool": true}, defined)
}

func TestDashboardPanelsAreDescribedAndDoNotOverlap(t *testing.T) {
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range loadDashboard(t).Panels {
		require.NotEmpty(t, p.Title)
		require.NotEmpty(t, p.Description, p.Title)
		require.NotEmpty(t, p.FieldConfig.Defaults.Unit, p.Title)
		require.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
		require.NotContains(t, ids, p.ID, p.Title)
		ids[p.ID] = true
		at := p.GridPos
		require.LessOrEqual(t, at.X+at.W, 24, p.Title)
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				require.NotContains(t, cells, [2]int{x, y}, p.Title)
				cells[[2]int{x, y}] = p.Title
			}
		}
	}
}
