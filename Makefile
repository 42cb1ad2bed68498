# Everything here needs Go; test-race needs a C compiler as well.

# Those of go.work, and three that must not raise the requirements of the others.
MODULES = $(shell go list -m -f '{{.Dir}}') $(CURDIR)/examples/autoscaling $(CURDIR)/tools $(CURDIR)/cmd/stackcost/testdata/generate
TOOLS   = bin/staticcheck bin/gofumpt bin/benchstat bin/garble

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: check
check: tidy format vet lint test ## the quick half: run it before each commit

.PHONY: check-all
check-all: tidy format vet lint test-race test-386 coverage demo model leak unchanged release-check releases mutants-ci ## what CI runs, all of it; needs Debian's spin

# The tools have a module of their own, outside the workspace, so that their
# requirements do not raise ours.
$(TOOLS): tools/go.mod tools/go.sum
	cd tools && GOWORK=off go build -o ../bin/ tool

.PHONY: tidy
tidy: ## fail if a go.mod or go.sum is not tidy
	@for module in $(MODULES); do \
		(cd $$module && GOWORK=off go mod tidy -diff) || exit 1; \
	done

.PHONY: format
format: $(TOOLS) ## fail if a file is not formatted
	@unformatted=$$(bin/gofumpt -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted:" $$unformatted; exit 1; fi

.PHONY: vet
vet: ## go vet in every module
	@for module in $(MODULES); do \
		(cd $$module && GOWORK=off go vet ./...) || exit 1; \
	done

.PHONY: lint
lint: $(TOOLS) ## staticcheck in every module, and no test that ends itself in a task
	cd tools && GOWORK=off go run ./strayfatal ..
	@root=$$PWD; for module in $(MODULES); do \
		(cd $$module && GOWORK=off $$root/bin/staticcheck ./...) || exit 1; \
	done

.PHONY: test
test: ## all tests of the modules in go.work
	go test work

.PHONY: test-race
test-race: ## all tests of all modules, shuffled, most with the race detector
	go test -race -shuffle=on work
	for module in examples/autoscaling tools; do \
		(cd $$module && GOWORK=off go test -shuffle=on ./...) || exit 1; \
	done

.PHONY: test-386
test-386: ## the tests of the root module on a 32-bit platform
	GOARCH=386 CGO_ENABLED=0 go test -shuffle=on ./...

.PHONY: demo
demo: ## the DNS server against a real client: a spike, and its end
	go run ./examples/dnsserver -demo

.PHONY: model
model: ## check the protocol exhaustively; needs Debian's spin
	internal/model/check.sh

.PHONY: fuzz
FUZZTIME ?= 10m
fuzz: ## random operations against a sequential model of the contract
	go test -run '^$$' -fuzz '^FuzzPool$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./internal/fuzz
	go test -run '^$$' -fuzz '^FuzzGroup$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./group

.PHONY: soak
SOAKTIME ?= 60s
soak: ## random load, and nothing left afterwards; once more with little memory
	go run ./internal/soak -for $(SOAKTIME)
	GOMEMLIMIT=64MiB go run ./internal/soak -for $(SOAKTIME)

.PHONY: mutants
mutants: ## change the pool in small ways and see whether a test notices; SINCE=REF: only changed lines; FOR=5m: no longer
	cd tools && GOWORK=off go run ./mutants $(if $(SINCE),-since $(SINCE)) $(if $(FOR),-for $(FOR))

.PHONY: mutants-ci
mutants-ci: ## five minutes of mutants of the lines that the last commit changed
	$(MAKE) mutants SINCE=HEAD~1 FOR=5m

.PHONY: flakes
flakes: ## the tests of the root and the handoff 300 times, beside a load; a quarter of an hour
	tools/flakes

.PHONY: garble
garble: ## how workers end, in builds that change names, frames or what a crash prints
	tools/endings

.PHONY: leak
leak: ## the tests with the runtime's goroutine leak profile
	tools/leak

.PHONY: unchanged
unchanged: ## fail if go doc, go list or go vet changes a file, such as go.work.sum
	tools/unchanged

.PHONY: releases
releases: ## the short tests of what is imported, with the oldest and the newest Go release
	tools/releases

.PHONY: lowest
lowest: ## the same with the oldest release alone, so with the lowest versions of all
	tools/releases $(shell head -n 1 tools/go-releases)

.PHONY: release-check
release-check: ## fetch and use each importable module as a stranger would
	tools/release-check

.PHONY: coverage
coverage: ## fail below 95 % of the statements of the package
	tools/coverage

.PHONY: platforms
platforms: ## other processors, systems and runtime settings; needs qemu-user
	tools/platforms

.PHONY: trust
trust: ## conformance, a short fuzz, the model, a short soak, leaks: under ten minutes
	cd conformance && GOWORK=off go test -count=1 ./...
	$(MAKE) fuzz FUZZTIME=45s
	$(MAKE) model
	$(MAKE) soak SOAKTIME=30s
	$(MAKE) leak

.PHONY: dnsperf
dnsperf: ## the DNS server under Debian's dnsperf, with go and with the pool
	examples/dnsserver/dnsperf

.PHONY: conformance
conformance: ## examine the peers too, and write conformance/RESULTS.md
	go -C conformance/peers test -run '^TestMatrix$$' -timeout 60m -args -write

.PHONY: bench
bench: ## race all pools and write bench/results/; half an hour on a quiet machine
	go run ./bench

.PHONY: releases-race
releases-race: ## hemlock against go at all loads with each release from 1.26, and the table of docs/WHEN.md; RACEFLAGS=-quick: a trial
	for release in $$(tail -n +2 tools/go-releases); do \
		GOTOOLCHAIN=$$release go run ./bench -runners '^hemlock$$' -out bench/results/$${release%.*} $(RACEFLAGS) >/dev/null || exit 1; \
	done
	go run ./bench/releases -fill docs/WHEN.md $$(sed -n 's|\.[0-9]*$$|/results.json|; 2,$$s|^|bench/results/|p' tools/go-releases)

.PHONY: servers
servers: ## real servers with go and with the pool; twenty minutes on a quiet machine
	go run ./bench/servers -out bench/servers/results

.PHONY: benchmark
benchmark: $(TOOLS) ## Run against go, by stack depth and callers
	for round in 1 2 3 4 5 6; do go test -run '^$$' -bench '^Benchmark(Run|Go)$$' ./bench; done | bin/benchstat -col .name -
	for round in 1 2 3 4 5 6; do go test -run '^$$' -bench '^BenchmarkFanOut$$' ./bench; done | bin/benchstat -col /by -
	go test -run '^$$' -bench 'Submit|Spawn|Stats|IdleWorker' ./bench
