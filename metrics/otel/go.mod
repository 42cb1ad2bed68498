module example.com/hemlock/metrics/otel

go 1.25.0

require (
	example.com/hemlock v0.1.0
	github.com/stretchr/testify v1.8.4 // v1.8.4: otel requires it
	go.opentelemetry.io/otel v1.20.0 // v1.20.0: that of the package metric
	go.opentelemetry.io/otel/metric v1.20.0 // v1.20.0: before, no WithExplicitBucketBoundaries
	go.opentelemetry.io/otel/sdk/metric v1.20.0 // v1.20.0: that of the package metric
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/go-logr/logr v1.3.0 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	go.opentelemetry.io/otel/sdk v1.20.0 // indirect
	go.opentelemetry.io/otel/trace v1.20.0 // indirect
	go.uber.org/atomic v1.10.0 // indirect
	golang.org/x/sync v0.3.0 // indirect
	golang.org/x/sys v0.14.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace example.com/hemlock => ../..
