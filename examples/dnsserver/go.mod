module example.com/hemlock/examples/dnsserver

go 1.26.0

require (
	example.com/hemlock v0.1.0
	example.com/hemlock/metrics/page v0.1.0
	example.com/hemlock/metrics/prometheus v0.1.0
	github.com/arl/statsviz v0.8.2
	github.com/miekg/dns v1.1.73
	github.com/prometheus/client_golang v1.25.0
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5
	golang.org/x/net v0.59.0
	golang.org/x/sync v0.24.0
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace example.com/hemlock => ../..

replace example.com/hemlock/metrics/page => ../../metrics/page

replace example.com/hemlock/metrics/prometheus => ../../metrics/prometheus
