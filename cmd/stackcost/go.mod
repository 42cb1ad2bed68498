module example.com/hemlock/cmd/stackcost

go 1.25.0

require (
	github.com/google/pprof v0.0.0-20250403155104-27863c87afa6
	github.com/stretchr/testify v1.7.4
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
