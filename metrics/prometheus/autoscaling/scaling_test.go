package autoscaling_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const scalingFile = "README.md"

func TestScalingQuotesTheManifests(t *testing.T) {
	var manifests string
	for _, file := range []string{deploymentFile, hpaFile, kedaFile, adapterFile} {
		manifests += unindented(string(read(t, file)))
	}
	quotes := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(read(t, scalingFile)), -1)
	require.NotEmpty(t, quotes)
	for _, quote := range quotes {
		require.Contains(t, manifests, unindented(quote[1]))
	}
}

func TestScalingNamesOnlyExportedMetrics(t *testing.T) {
	metric, _ := hpaMetric(t) // which the adapter makes
	known := exported(t, metric.Name, "hemlock_")
	for _, name := range regexp.MustCompile(`\bhemlock_\w*`).FindAllString(string(read(t, scalingFile)), -1) {
		require.Contains(t, known, name)
	}
}

func unindented(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimLeft(line, " "))
	}
	return strings.Join(lines, "")
}
