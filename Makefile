# One command for everything a contributor does. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup build run test measure format lint docs bench bench-peers interop storm fuzz simulate mutants dist versions clean

sources := Sources Tests Benchmarks Fuzz/Targets Package.swift
# With SMALL=1, benchmarks only show that they run.
small_store := $(if $(SMALL),--entries 2000 --channels 2000)
small_relay := $(if $(SMALL),--rounds 1 --seconds 0.5 --connections 50 --patience 0)
small_client := $(if $(SMALL),--conversations 5 --messages 500 --transactions 50 --people 5 --large-group 20 --missed 100 \
	--rounds 20 --file-mebibytes 8)
small_wormhole := $(if $(SMALL),--mebibytes 16 --rounds 1)
small_mls := $(if $(SMALL),--alone 10)

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install the system packages that building needs (Debian, Ubuntu)
	@scripts/setup.sh

build: setup ## Build the program for use
	scripts/release.sh --product kith

run: setup ## Run the demo: a relay and three people
	swift build --product kith
	.build/debug/kith demo

# All tests at once would starve those that wait for a network or a process: WIDTH of them run at the same time.
test: setup ## Run all tests but the storm and the measuring ones
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=$(or $(WIDTH),4) swift test --skip '\.(StormTests|MeasuredRelay)/'

measure: setup ## Run the tests that assert memory or times, one at a time
	swift test --filter '^RelayProcessTests\.MeasuredRelay/'

format: ## Format the source
	swift format --in-place --parallel --recursive $(sources)

lint: ## Check formatting and style
	swift format lint --strict --parallel --recursive $(sources)
	@scripts/setup.sh python3
	scripts/lint.py

docs: setup ## Render the documentation of MLS, the SDK and the relay; any warning is an error
	@scripts/setup.sh python3
	scripts/docs.sh MLS
	scripts/docs.sh KithClient KithCore,KithSupport,PrivateFiles
	scripts/docs.sh KithRelay

bench: setup ## Measure everything, beside real peers where they are installed (SMALL=1: only whether it runs)
	scripts/setup.sh python3-venv
	scripts/release.sh --product kith
	scripts/release.sh --product RelayBenchmark
	scripts/release.sh --product StoreBenchmark
	scripts/release.sh --product CodecBenchmark
	scripts/release.sh --product ClientBenchmark
	.build/release/CodecBenchmark
	.build/release/StoreBenchmark $(small_store)
	.build/release/RelayBenchmark all $(small_relay)
	.build/release/ClientBenchmark $(small_client)
	Benchmarks/run-mls.sh $(small_mls)

bench-peers: ## Install the peers and measure them with the same load
	Benchmarks/peers.sh $(small_relay)
	scripts/setup.sh python3-venv
	Benchmarks/run-wormhole.sh $(small_wormhole)

interop: setup ## HISTORIES random group histories with members of this package and of mls-rs (default 200)
	@scripts/setup.sh python3-venv
	Interop/run.sh --histories $(or $(HISTORIES),200)

storm: setup ## Kill people, relays and transfers of files, as processes, again and again for SECONDS (default 1800)
	swift build --build-tests
	KITH_STORM_SECONDS=$(or $(SECONDS),1800) KITH_FILE_KILLS=$(shell expr $(or $(SECONDS),1800) / 4) \
		swift test --skip-build --filter 'StormTests'

fuzz: setup ## Fuzz every decoder, SECONDS each (default 60)
	Fuzz/run.sh $(or $(SECONDS),60)

simulate: setup ## Run clients through SEEDS random schedules with faults (default 10000), and a few of 50 people
	scripts/release.sh --product kith-simulate
	.build/release/kith-simulate --seeds 1..$(or $(SEEDS),10000)
	.build/release/kith-simulate --profile large --seeds 1..$(or $(LARGE_SEEDS),5)

mutants: setup ## Break the code in one place at a time and see whether the tests notice (hours; ONLY=TEXT selects some)
	@scripts/setup.sh python3
	scripts/mutants.py all --only '$(ONLY)' --report .build/mutants-report.txt

dist: setup ## Pack a program that runs without Swift installed into dist/
	scripts/dist.sh

versions: ## Write the resolved versions of all packages to packaging/versions.txt
	swift package resolve
	scripts/versions.sh --write

clean: ## Remove all build results
	rm -rf .build .build-fuzz dist
