package main

import (
	"context"
	"log"

	"example.com/hemlock"
	hemlockotel "example.com/hemlock/metrics/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func main() {
	ctx := context.Background()
	pool := hemlock.New()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	unregister, err := hemlockotel.Register(provider.Meter("fresh"), "fresh", pool)
	if err != nil {
		log.Fatal(err)
	}
	pool.Run(func() {})
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &collected); err != nil {
		log.Fatal(err)
	}
	if done := completed(collected); done != 1 {
		log.Fatalf("%d tasks are reported, of 1", done)
	}
	if err := unregister(); err != nil {
		log.Fatal(err)
	}
}

func completed(collected metricdata.ResourceMetrics) int64 {
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "hemlock.task.completed" {
				return sum.DataPoints[0].Value
			}
		}
	}
	return -1
}
