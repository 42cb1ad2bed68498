module example.com/hemlock/metrics/prometheus

go 1.25.0

require (
	example.com/hemlock v0.1.0
	github.com/prometheus/client_golang v1.19.1 // v1.19.1: before, a protobuf package with known faults
	github.com/prometheus/client_model v0.5.0 // v0.5.0: client_golang requires it
	github.com/stretchr/testify v1.7.4 // v1.7.4: before, no ErrorContains, or a YAML package with known faults
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.2.0 // indirect
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/prometheus/common v0.48.0 // indirect
	github.com/prometheus/procfs v0.12.0 // indirect
	go.uber.org/atomic v1.10.0 // indirect
	golang.org/x/sync v0.3.0 // indirect
	golang.org/x/sys v0.17.0 // indirect
	google.golang.org/protobuf v1.33.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace example.com/hemlock => ../..
