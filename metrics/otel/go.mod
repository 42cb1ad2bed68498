module example.com/hemlock/metrics/otel

go 1.25.0

require (
	example.com/hemlock v0.1.0
	github.com/stretchr/testify v1.8.4 // v1.8.4: otel requires it
	go.opentelemetry.io/otel v1.19.0 // v1.19.0: that of the SDK
	go.opentelemetry.io/otel/metric v1.19.0 // v1.19.0: that of the SDK
	go.opentelemetry.io/otel/sdk/metric v1.19.0 // v1.19.0: the first stable one
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/go-logr/logr v1.2.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	go.opentelemetry.io/otel/sdk v1.19.0 // indirect
	go.opentelemetry.io/otel/trace v1.19.0 // indirect
	go.uber.org/atomic v1.10.0 // indirect
	golang.org/x/sync v0.3.0 // indirect
	golang.org/x/sys v0.12.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace example.com/hemlock => ../..
