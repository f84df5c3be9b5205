# The only door to every routine. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PY := .venv/bin/python
CODE := agent clients proto tests
# Two processes: tests of the host in one, everything else wherever there is room.
BESIDE := -n 2 --dist loadgroup

.PHONY: help setup run demo proto images fmt lint type arch check unit kernel hypervisor test test-long \
        conformance fuzz kill-sweep interop bench abuse capture golden lock audit docs dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages (as root) and .venv
	@agent/packaging/setup

run: setup ## start an agent in the foreground, all state under .state
	@agent/packaging/run

demo: setup images ## the product by itself: one firewall appliance, end to end
	@$(PY) -m clients.examples.demo

proto: setup ## regenerate the wire modules from proto/
	@agent/packaging/proto

images: setup ## build the firewall appliance image from Debian packages
	@$(PY) clients/examples/firewall_image

fmt: setup ## format
	@$(PY) -m ruff format $(CODE)
	@$(PY) -m ruff check --fix $(CODE)

lint: setup ## ruff, spelling, YANG
	@$(PY) -m ruff format --check $(CODE)
	@$(PY) -m ruff check $(CODE)
	@.venv/bin/codespell README.md ARCHITECTURE.md CHANGELOG.md agent clients proto yang
	@$(PY) -m pytest -q tests/contract/test_yang_rules.py

type: setup ## mypy --strict
	@$(PY) -m mypy

arch: setup ## who may import whom
	@.venv/bin/lint-imports

check: lint type arch unit ## everything a merge needs without root

unit: setup ## pure rooms, contracts, services over a Unix socket
	@$(PY) -m pytest tests/unit tests/contract tests/service

kernel: setup ## netlink and tc, really set and measured, in network namespaces (root)
	@$(PY) -m pytest tests/kernel

hypervisor: setup images ## real guests under emulation (root)
	@$(PY) -m pytest tests/hypervisor

test: setup images ## every tier that a plain checkout can run as root
	@$(PY) -m pytest $(BESIDE) -m "not long and not interop" tests

test-long: setup images ## the same with every repetition
	@$(PY) -m pytest $(BESIDE) -m "not interop" tests

conformance: setup ## every row of the gNMI matrix; writes docs/conformance.md
	@$(PY) -m pytest -q --conformance=docs/conformance.md tests/conformance

fuzz: setup ## 100,000 requests of any kind and bytes that are none (TWINPLANE_FUZZ=number, TWINPLANE_FUZZ_SEED)
	@TWINPLANE_FUZZ=$${TWINPLANE_FUZZ:-100000} $(PY) -m pytest -q -s tests/fuzz

kill-sweep: setup images ## SIGKILL at each of the first 60 ms of a guest's start (root; some five minutes)
	@$(PY) -m pytest -m sweep tests/fault

interop: setup images ## other people's clients and YANG tools, installed into build/interop (root; GNMIC=path adds gnmic)
	@GNMIC=$(GNMIC) $(PY) -m pytest -m interop tests/interop

bench: setup ## ratios against a floor measured in the same run; writes build/bench.json (ROWS="set commit": these)
	@$(PY) -m tests.bench $(ROWS)

capture: setup images ## record what the sources report of a real host (root); then make golden
	@PYTHONPATH=tests:agent:proto:clients/python $(PY) -m tests.capture $(STORIES)

abuse: setup ## what one client can do to all others; writes build/abuse.json (ATTACKS="Set Validate": these)
	@TWINPLANE_ABUSE_AFTER=$${TWINPLANE_ABUSE_AFTER:-60} $(PY) -m tests.abuse $(ATTACKS)

golden: setup ## write the golden cases anew; review the difference like code
	@TWINPLANE_GOLDEN=1 $(PY) -m pytest -q tests/unit/plan tests/unit/state

lock: ## write the lock files anew from the ranges in pyproject.toml (UPGRADE=1: the newest versions)
	@agent/packaging/lock

audit: setup ## known vulnerabilities of what the lock files name
	@agent/packaging/audit

docs: setup ## YANG trees and HTML into build/docs
	@agent/packaging/docs

dist: setup ## build the wheel into dist/
	@$(PY) -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove what was built; never .state, which holds a running box
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
