# `make` lists the targets. What they need beside Rust they fetch into the target directory; see tests/run.sh.

SHELL := bash
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
PYTHON := $(TARGET)/venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test judges sim bench lint fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build the node and show it on MITRE ATT&CK: import, search, and a node to go on with
	@tests/run.sh setup
	$(PYTHON) demo/attack_bundle.py
	cargo build --locked
	$(TARGET)/debug/intelgraph demo

test: ## Everything that must hold, with the time each part took
	@tests/run.sh setup format clippy deny docs build tests

judges: ## What leaves the ledger, before programs of other authors
	@tests/run.sh setup judges

sim: ## Power cuts and failing disks: make sim CUTS=20000 SEED=1000
	INTELGRAPH_SIM_CUTS=$(or $(CUTS),2000) INTELGRAPH_SIM_SEED=$(or $(SEED),0) \
		cargo test --locked --test simulation -- --nocapture

bench: ## Run the measurements that the tests leave out
	cargo test --locked --workspace -- --ignored --nocapture --test-threads=1

lint: ## Format, clippy, licences and dependencies, documentation: what `make test` checks, without the tests
	@tests/run.sh format clippy deny docs

fmt: ## Format the sources
	cargo fmt --all

clean: ## Remove what was built (and the data of the demo)
	cargo clean
