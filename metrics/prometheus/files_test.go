package hemlockprom_test

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// The tests of the module examples/autoscaling go further: they parse and evaluate every
// expression. What they need for it is too heavy to be required here.
func TestDashboardAndAlertsNameOnlyExportedMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(hemlockprom.Over("dns", different)))
	families, err := reg.Gather()
	require.NoError(t, err)
	var exported []string
	for _, f := range families {
		exported = append(exported, f.GetName())
	}
	metric := regexp.MustCompile(`\bhemlock_\w+`)
	for file, decode := range map[string]func([]byte, any) error{
		"dashboard.json": json.Unmarshal,
		"alerts.yaml":    yaml.Unmarshal,
	} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, decode(content, new(map[string]any)), file)
		named := metric.FindAllString(string(content), -1)
		require.NotEmpty(t, named, file)
		require.Subset(t, exported, named, file)
	}
}
