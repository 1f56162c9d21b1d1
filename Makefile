# `make` lists the targets. What they need beside Rust they fetch into the target directory; see tests/run.sh.

SHELL := bash
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
PYTHON := $(TARGET)/venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test judges sim bench lint fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build the node and show it on MITRE ATT&CK, in the browser if there is one: NO_BROWSER=1 opens none
	@tests/run.sh setup explorer
	@tests/run.sh models || echo "no model could be fetched: the demo searches by words alone"
	$(PYTHON) demo/attack_bundle.py
	cargo build --locked --features ui
	$(TARGET)/debug/intelgraph demo $(if $(NO_BROWSER),--no-browser) \
		$$(ls -r $(TARGET)/models/*.whl 2>/dev/null | sed 's/^/--model /')

test: ## Everything that must hold, with the time each part took
	@tests/run.sh setup models web explorer format clippy deny docs build tests ui

judges: ## What leaves the node, and what policies decide, before programs of other authors
	@tests/run.sh setup models web explorer judges

sim: ## Power cuts, failing disks, damage, kills, leak probes and planted bugs through the night: make sim CUTS=100000 KILLS=1000 DAMAGES=5000 PROBES=500000
	INTELGRAPH_SIM_CUTS=$(or $(CUTS),100000) INTELGRAPH_SIM_SEED=$(or $(SEED),0) \
		cargo test --locked --test simulation -- --nocapture
	INTELGRAPH_TEST_KILLS=$(or $(KILLS),1000) cargo test --locked --test appliance kills -- --nocapture
	INTELGRAPH_TEST_FAULTS=0 cargo test --locked --test appliance faults -- --nocapture
	INTELGRAPH_TEST_DAMAGES=$(or $(DAMAGES),5000) cargo test --locked --test appliance damage -- --nocapture
	INTELGRAPH_TEST_PROBES=$(or $(PROBES),500000) cargo test --locked --test appliance leaks -- --nocapture
	tests/planted.sh

bench: ## Measure against peers on the same disk; INTELGRAPH_BENCH_ROWS=100000 for a quick look
	cargo bench --locked -p storage --bench commit
	cargo bench --locked -p index --bench search
	cargo bench --locked -p intelgraph --bench policy
	cargo bench --locked -p intelgraph --bench node
	cargo bench --locked -p intelgraph --bench hostile
	tests/run.sh peers

lint: ## Format, clippy, licences and dependencies, documentation: what `make test` checks, without the tests
	@tests/run.sh format clippy deny docs

fmt: ## Format the sources
	cargo fmt --all

clean: ## Remove what was built (and the data of the demo)
	cargo clean
