module example.com/hemlock/cmd/stackcost

go 1.26.0

require github.com/google/pprof v0.0.0-20261105003125-4bf881d7fb0b

require (
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
