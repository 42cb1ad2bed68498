module example.com/hemlock/grpc

go 1.25.0

require (
	example.com/hemlock v0.1.0
	github.com/stretchr/testify v1.7.4 // v1.7.4: before, no ErrorContains, or a YAML package with known faults
	golang.org/x/sync v0.19.0 // v0.19.0: grpc requires it
	google.golang.org/grpc v1.79.3 // v1.79.3: before, a path without a slash got past interceptors that authorize
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	go.uber.org/atomic v1.10.0 // indirect
	golang.org/x/net v0.48.0 // indirect
	golang.org/x/sys v0.39.0 // indirect
	golang.org/x/text v0.32.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20251202230838-ff82c1b0f217 // indirect
	google.golang.org/protobuf v1.36.10 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace example.com/hemlock => ..
