module example.com/hemlock/examples/dnsserver

go 1.26.0

require (
	example.com/hemlock v0.0.0
	github.com/miekg/dns v1.1.73
	github.com/stretchr/testify v1.12.1
	golang.org/x/net v0.57.0
	golang.org/x/sync v0.24.0
)

require (
	go.uber.org/atomic v1.12.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace example.com/hemlock => ../..
