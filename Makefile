# Everything here needs Go; test-race needs a C compiler as well.

# What each target proves, and how long it takes, is said in CONTRIBUTING.md.

# Those of go.work, and two that must not raise the requirements of the others. A recipe that loops
# over all of them takes each alone: with the versions that it requires, which its importers get.
# The workspace has the highest of all.
ALL     = $(shell go list -m -f '{{.Dir}}') $(CURDIR)/metrics/prometheus/autoscaling $(CURDIR)/internal/tools
MODULES = $(ALL)

.DEFAULT_GOAL := help

.PHONY: help
help:
	@awk -F ' *[|] *' '/^[|] `make / { gsub("`", ""); printf "%-18s %-26s %s\n", $$2, $$4, $$3 }' CONTRIBUTING.md

.PHONY: check
check: MODULES = $(CURDIR) $(shell for m in $(ALL); do [ $$m = $(CURDIR) ] || [ -z "$$(git status --porcelain -- $$m)" ] || echo $$m; done)
check: tidy format vet lint test

.PHONY: check-all
check-all: tidy format vet lint test-race test-cpus test-32bit test-wasm builds api vulnerabilities coverage demo model leak unchanged figures-fresh release-check releases mutants-ci

# The loops of the tests that look for rare interleavings are ten times as long.
check-all trust: export HEMLOCK_TEST_LONG = 1

# The tools have a module of their own, outside the workspace, so that their
# requirements do not raise ours.
bin/%: internal/tools/go.mod internal/tools/go.sum
	cd internal/tools && GOWORK=off go build -o ../../bin/ $$(GOWORK=off go list tool | grep '/$*$$')

# A go.mod is tidy or not by itself.
.PHONY: tidy
tidy:
	@for module in $(MODULES); do \
		(cd $$module && GOWORK=off go mod tidy -diff) || exit 1; \
	done

.PHONY: format
format: bin/gofumpt
	@unformatted=$$(bin/gofumpt -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted:" $$unformatted; exit 1; fi

# Alone, because code may compile with the versions of the workspace only.
.PHONY: vet
vet:
	@for module in $(MODULES); do \
		(cd $$module && GOWORK=off go vet ./...) || exit 1; \
	done

.PHONY: lint
lint: bin/staticcheck
	@rows=$$(sed -n 's/^| `make \([a-z0-9-]*\).*/\1/p' CONTRIBUTING.md | sort); \
	targets=$$(sed -n 's/^\.PHONY: //p' Makefile | sort); \
	if [ "$$rows" != "$$targets" ]; then echo "the table of CONTRIBUTING.md has not the targets of the Makefile, each once" >&2; exit 1; fi
	cd internal/tools && GOWORK=off go run ./strayfatal ../..
	@# Alone, because what is deprecated depends on the version.
	@root=$$PWD; for module in $(MODULES); do \
		(cd $$module && GOWORK=off $$root/bin/staticcheck ./...) || exit 1; \
	done

# Alone, because test-race has the versions of the workspace.
.PHONY: test
test:
	@for module in $(MODULES); do \
		(cd $$module && GOWORK=off go test ./...) || exit 1; \
	done

# The loop has what is outside the workspace.
.PHONY: test-race
test-race:
	go test -race -shuffle=on work
	for module in metrics/prometheus/autoscaling internal/tools; do \
		(cd $$module && GOWORK=off go test -shuffle=on ./...) || exit 1; \
	done

.PHONY: test-cpus
test-cpus:
	HEMLOCK_TEST_LONG= go test -shuffle=on -cpu=1,2,4,8 . ./internal/handoff
	go test -cpu=1,2,4,8 -run '^TestConformance$$' ./conformance

.PHONY: test-32bit
test-32bit:
	internal/tools/platforms 32bit

.PHONY: test-wasm
test-wasm:
	internal/tools/platforms wasm

.PHONY: builds
builds:
	internal/tools/platforms build

.PHONY: vulnerabilities
vulnerabilities: bin/govulncheck
	internal/tools/vulnerabilities

.PHONY: demo
demo:
	go run ./examples/dnsserver -demo

.PHONY: model
model:
	internal/model/check.sh

.PHONY: fuzz
FUZZTIME ?= 10m
fuzz:
	go test -run '^$$' -fuzz '^FuzzPool$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./internal/fuzz

.PHONY: soak
SOAKTIME ?= 60s
soak:
	go test -v -timeout 0 -run '^TestSoak$$' ./internal/fuzz -soak $(SOAKTIME)
	go test -v -timeout 0 -run '^TestSoak$$' -exec 'env GOMEMLIMIT=64MiB' ./internal/fuzz -soak $(SOAKTIME)

.PHONY: mutants
mutants:
	cd internal/tools && GOWORK=off go run ./mutants $(if $(SINCE),-since $(SINCE)) $(if $(FOR),-for $(FOR))

.PHONY: mutants-ci
mutants-ci:
	$(MAKE) mutants SINCE=HEAD~1 FOR=5m

.PHONY: flakes
flakes:
	internal/tools/flakes $(MINUTES)

.PHONY: garble
garble:
	internal/tools/endings

.PHONY: leak
leak:
	internal/tools/leak

.PHONY: unchanged
unchanged:
	internal/tools/unchanged

.PHONY: figures
figures:
	internal/tools/figures

.PHONY: figures-fresh
figures-fresh:
	internal/tools/figures-fresh

.PHONY: releases
releases:
	internal/tools/releases

.PHONY: lowest
lowest:
	internal/tools/releases $(shell head -n 1 internal/tools/go-releases)

.PHONY: release-check
release-check:
	internal/tools/release-check

.PHONY: api
api:
	@cd internal/tools && GOWORK=off go run ./api ../.. | diff -u api/hemlock.txt - || \
		{ echo "api: the exported interface has changed; if it should, run make api-update"; exit 1; }

.PHONY: api-update
api-update:
	cd internal/tools && GOWORK=off go run ./api ../.. >api/hemlock.txt

.PHONY: coverage
coverage:
	internal/tools/coverage

.PHONY: platforms
platforms:
	internal/tools/platforms

.PHONY: trust
trust:
	GOWORK=off go test -count=1 ./conformance
	cd conformance/peers && GOWORK=off go test -count=1 ./histories
	$(MAKE) fuzz FUZZTIME=45s
	$(MAKE) model
	$(MAKE) soak SOAKTIME=30s
	$(MAKE) leak

.PHONY: dnsperf
dnsperf:
	examples/dnsserver/dnsperf

.PHONY: conformance
conformance:
	go -C conformance/peers test -run '^TestMatrix$$' -timeout 60m -args -write

.PHONY: suites
suites:
	cd internal/tools && GOWORK=off go run ./suites -only '$(ONLY)'

.PHONY: bench
bench:
	go run ./bench
	internal/tools/figures

.PHONY: releases-race
RACEFLAGS ?= -rounds 5 -shrink 0 -loads '(callers that wait|submitter|^work|blocking|cold pool|^server)'
releases-race:
	for release in $$(tail -n +2 internal/tools/go-releases); do \
		GOTOOLCHAIN=$$release go run ./bench -runners '^hemlock$$' -out bench/results/$${release%.*} $(RACEFLAGS) >/dev/null || exit 1; \
	done
	go run ./bench/releases $$(sed -n 's|\.[0-9]*$$|/results.json.gz|; 2,$$s|^|bench/results/|p' internal/tools/go-releases) >bench/results/releases.md
	internal/tools/figures

.PHONY: servers
servers:
	go run ./bench/servers -out bench/servers/results
	internal/tools/figures

.PHONY: sixteen
sixteen:
	internal/tools/sixteen

.PHONY: sixteen-results
FROM ?= bin/sixteen/results
sixteen-results:
	internal/tools/sixteen $(FROM)

.PHONY: benchmark
benchmark: bin/benchstat
	for round in 1 2 3 4 5 6; do go test -run '^$$' -bench '^Benchmark(Run|Go|Do|FanOut)$$' ./bench || exit 1; done >bin/benchmarks.txt
	bin/benchstat -filter '.name:(Run OR Go)' -col .name bin/benchmarks.txt
	go run ./bench/benchmarks <bin/benchmarks.txt >bench/results/benchmarks.md
	internal/tools/figures
	go test -run '^$$' -bench 'Submit|Spawn|Stats|IdleWorker' ./bench
