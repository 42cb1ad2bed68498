module example.com/hemlock/metrics/page

go 1.25.0

require (
	example.com/hemlock v0.1.0
	github.com/chromedp/cdproto v0.159.0 // v0.159.0: chromedp requires it
	github.com/chromedp/chromedp v0.22.1 // v0.22.1: speaks the protocol of current browsers; lower ones were not tried
	github.com/stretchr/testify v1.7.4 // v1.7.4: before, no ErrorContains, or a YAML package with known faults
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	go.uber.org/atomic v1.10.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

replace example.com/hemlock => ../..
