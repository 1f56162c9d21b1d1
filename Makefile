# `make` lists the targets. What they need beside Rust they fetch into the target directory; see tests/run.sh.

SHELL := bash
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
PYTHON := $(TARGET)/venv/bin/python
CAMPAIGNS := cuts flips disks clocks kills faults restores damages probes
upper = $(shell tr a-z A-Z <<<$(1))

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

sim: ## Campaigns through the night, each where it ended last, then planted bugs: make sim CUTS=100000 KILLS=1000 (0 leaves one out)
	tests/campaigns.py run $(foreach name,$(CAMPAIGNS),$(name)$(if $($(call upper,$(name))),=$($(call upper,$(name)))))
	tests/campaigns.py sum
	tests/planted.sh

bench: ## Measure against peers on the same disk; INTELGRAPH_BENCH_ROWS=100000 for a quick look
	cargo bench --locked -p storage --bench commit
	cargo bench --locked -p index --bench search
	INTELGRAPH_TEST_MODELS=$(TARGET)/models cargo bench --locked -p index --bench encode
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
