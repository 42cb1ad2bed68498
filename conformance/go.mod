module example.com/hemlock/conformance

go 1.26.0

require (
	example.com/hemlock v0.1.0
	github.com/stretchr/testify v1.12.1
)

require (
	go.uber.org/atomic v1.12.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace example.com/hemlock => ..
