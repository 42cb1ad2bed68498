package hemlockotel_test

import (
	"context"
	"fmt"

	"example.com/hemlock"
	hemlockotel "example.com/hemlock/metrics/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func ExampleRegister() {
	ctx := context.Background()
	pool := hemlock.New()
	reader := sdkmetric.NewManualReader() // in a server: a periodic reader with an exporter
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))

	unregister, err := hemlockotel.Register(provider.Meter("example.com/server"), "dns", pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	pool.Run(func() {})
	_ = pool.Shutdown(ctx)

	var collected metricdata.ResourceMetrics
	_ = reader.Collect(ctx, &collected)
	for _, m := range collected.ScopeMetrics[0].Metrics {
		if m.Name == "hemlock.task.completed" {
			fmt.Println(m.Name, m.Data.(metricdata.Sum[int64]).DataPoints[0].Value, m.Unit)
		}
	}
	fmt.Println("unregistered:", unregister() == nil)
	// Output:
	// hemlock.task.completed 1 {task}
	// unregistered: true
}
