# VelocityLab. `make run` starts it, `make test` tests it, `make help` lists the rest.

SWIFT ?= swift
VELOCITY = .build/release/velocity

.DEFAULT_GOAL := help
.PHONY: help deps build run test check labs bench fuzz format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

deps: ## install the system packages that are missing (asks before sudo)
	@sh .ci/deps

build: deps ## build the program as learners run it (release)
	$(SWIFT) build -c release

run: build ## build, and open the terminal screens on week 6
	@$(VELOCITY) start week06

# All tests at once would keep each other waiting for what some have only seconds for. Swift before 6.3 knows no number.
TEST_WIDTH = $(shell $(SWIFT) test --help-hidden 2>/dev/null | grep -o -m 1 -e '--experimental-maximum-parallelization-width' | sed 's/$$/ 12/')

test: deps ## build and run every test
	$(SWIFT) build --build-tests
	ulimit -n "$$(ulimit -H -n)" && $(SWIFT) test --skip-build $(TEST_WIDTH)

check: deps ## format check, lint, layer test and every other test: the gate of a commit
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests
	$(MAKE) test

labs: build ## lint all content, then prove every lab: red before, green solved, red for each mistake
	$(VELOCITY) course lint
	$(VELOCITY) course verify

FUZZ_ROUNDS ?= 5000
FUZZ_SEED ?= 1
FUZZ_INPUT ?= .build/fuzz-input

fuzz: deps ## feed the parsers hostile input: FUZZ_ROUNDS inputs a seed, from FUZZ_SEED on; a crash leaves its input in FUZZ_INPUT
	$(SWIFT) build --build-tests
	FUZZ_ROUNDS=$(FUZZ_ROUNDS) FUZZ_SEED=$(FUZZ_SEED) FUZZ_INPUT=$(FUZZ_INPUT) \
		$(SWIFT) test --skip-build --no-parallel --filter FuzzTests

bench: build ## measure, beside the figures of a real single-node Kubernetes
	@bash .ci/bench $(VELOCITY) .build/release/LoadBench

format: ## rewrite the sources in our format
	$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests

clean: ## remove what was built
	rm -rf .build
