module example.com/hemlock/conformance

go 1.25.0

require (
	example.com/hemlock v0.1.0
	github.com/stretchr/testify v1.7.4 // v1.7.4: before, no ErrorContains, or a YAML package with known faults
)

require github.com/anishathalye/porcupine v1.0.0 // v1.0.0: the first stable one

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	go.uber.org/atomic v1.10.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace example.com/hemlock => ..
