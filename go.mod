module example.com/hemlock

go 1.25.0

require (
	github.com/stretchr/testify v1.7.4 // v1.7.4: before, no ErrorContains, or a YAML package with known faults
	go.uber.org/atomic v1.10.0 // v1.10.0: the first with CompareAndSwap
	golang.org/x/sync v0.3.0 // v0.3.0: the first whose errgroup gives its context a cause
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
