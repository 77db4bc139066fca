# Every command works as the first one on a fresh clone: it sets up and builds what it needs.
.DEFAULT_GOAL := help
PYTHON = .venv/bin/python

.PHONY: help
help: ## this list
	@echo "make <command> [NAME=value ...]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## create .venv and the functions' interpreter from uv.lock
	@sh local/bootstrap.sh

.PHONY: build
build: setup ## sam build of what ships, when it has changed
	@$(PYTHON) -m local.build

# What the local stack runs: the same build, with this machine's wheels where Lambda's do not run.
.PHONY: local-build
local-build: setup
	@$(PYTHON) -m local.build host

.PHONY: demo
demo: local-build ## settle sample orders on an embedded AWS, show what happened, stop everything
	@$(PYTHON) -m local.demo

.PHONY: test
test: local-build ## run the tests [ARGS="tests/unit -k ..."]
	@$(PYTHON) -m pytest -n 2 $(ARGS)

.PHONY: up
up: local-build ## keep a local stack running [AWS_PORT WECHATPAY_HOSTS PARAMS WAIT_SCALE]
	@$(PYTHON) -m local.up

.PHONY: down
down: setup ## stop the local stack and remove what it left
	@$(PYTHON) -m local.down

.PHONY: settle
settle: setup ## settle one order on the running stack [EVENT=events/completed.json]
	@$(PYTHON) -m local.settle "$(EVENT)"

.PHONY: check
check: setup ## lint, types, template and workflow checks
	@$(PYTHON) -m local.checks

.PHONY: deploy
deploy: build ## deploy to AWS, guided [ARGS="--config-env ..."]
	@SAM_CLI_TELEMETRY=0 .venv/bin/sam deploy --guided $(ARGS)
