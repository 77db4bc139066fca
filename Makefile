# Every command works as the first one on a fresh clone: it sets up and builds what it needs.
.DEFAULT_GOAL := help
PYTHON = .venv/bin/python

# A misspelt DRY_RUN or ORDER would act for real, or on everything: what no command reads is refused.
READ = ARGS FILES ORDERS RATE SEED EXAMPLES EVENT AWS_PORT WECHATPAY_HOSTS PARAMS WAIT_SCALE PUBLIC_KEY_ID APPID \
	SERVICE_ID MCHID ORDER PLATFORM_CERTIFICATE REASON SINCE BEFORE DRY_RUN STACK_NAME AWS_REGION AWS_DEFAULT_REGION \
	AWS_PROFILE
given := $(foreach each,$(.VARIABLES),$(if $(findstring command line,$(origin $(each))),$(each)))
unread := $(filter-out $(READ) MAKEFLAGS MAKEOVERRIDES -%,$(given))
ifneq ($(unread),)
$(error $(unread): no command reads it; `make` lists what they read 未知变量)
endif

.PHONY: help
help: ## this list
	@echo "make <command> [NAME=value ...]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## create .venv and the functions' interpreter from uv.lock
	@sh tools/bootstrap.sh

.PHONY: build
build: setup ## sam build of what ships, when it has changed
	@$(PYTHON) -m tools.build

# What the local stack runs: the same build, with this machine's wheels where Lambda's do not run.
.PHONY: local-build
local-build: setup
	@$(PYTHON) -m tools.build host

.PHONY: demo
demo: local-build ## settle sample orders on an embedded AWS, show what happened, stop everything
	@$(PYTHON) -m local.demo

.PHONY: chaos
chaos: local-build ## settle orders under fire, then audit the ledger [ORDERS=2000 RATE=0.3 SEED=1]
	@$(PYTHON) -m chaos $(if $(ORDERS),--orders $(ORDERS)) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED))

.PHONY: test
test: local-build ## run the tests [ARGS="tests/unit -k ..."]
	@$(PYTHON) -m pytest -n 2 $(ARGS)

.PHONY: fuzz
fuzz: setup ## the property tests, with many new examples of each [EXAMPLES=5000 ARGS="-k replies"]
	@HYPOTHESIS_PROFILE=long $(if $(EXAMPLES),HYPOTHESIS_EXAMPLES=$(EXAMPLES)) \
		$(PYTHON) -m pytest -n 2 -m hypothesis tests/unit $(ARGS)

.PHONY: mutants
mutants: setup ## plant faults where money depends on the code; a test has to see each [FILES=order.py]
	@$(PYTHON) -m tools.mutants $(FILES)

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
check: setup ## lint, types, template and workflow checks, security review, leaks
	@$(PYTHON) -m tools.checks

.PHONY: bench
bench: build ## measure everything and write docs/benchmarks.md [ARGS="--orders 10000"]
	@$(PYTHON) -m benchmarks $(ARGS)

.PHONY: scale
scale: setup ## what breaks first, what an outage piles up, what it costs; into docs/scale.md
	@$(PYTHON) -m benchmarks.scale

.PHONY: sbom
sbom: setup ## write down what ships, as CycloneDX
	@$(PYTHON) -m tools.sbom

.PHONY: audit
audit: setup ## ask the advisory database about what ships; needs the network
	@$(PYTHON) -m tools.advisories

.PHONY: deploy
deploy: build ## deploy to AWS, guided [ARGS="--config-env ..."]
	@SAM_CLI_TELEMETRY=0 .venv/bin/sam deploy --guided $(ARGS)

# The operator's commands: on AWS as the AWS CLI is configured, or on the local stack after `. .local/env`.
# STACK_NAME, AWS_REGION and AWS_PROFILE count; `python -m operations COMMAND --help` tells every option, for ARGS.
OPERATIONS = PYTHONPATH=layers/wechatpay $(PYTHON) -m operations
option = $(if $($(1)),--$(2) "$($(1))")
options = $(foreach each,$($(1)),--$(2) "$(each)")
selection = $(call options,REASON,reason) $(call options,ORDER,order) $(call option,SINCE,since) \
	$(call option,BEFORE,before)
pace = $(if $(DRY_RUN),--dry-run) $(call option,RATE,rate)

.PHONY: merchant
merchant: setup ## write the simulated merchant's files, to try make secret with [FILES=directory]
	@$(PYTHON) -m local.merchant_files "$(FILES)"

.PHONY: secret
secret: setup ## store or rotate a merchant's secret, proven first [FILES PUBLIC_KEY_ID APPID SERVICE_ID MCHID ORDER]
	@$(OPERATIONS) secret $(call option,FILES,files) $(call option,PUBLIC_KEY_ID,public-key-id) \
		$(call option,APPID,appid) $(call option,SERVICE_ID,service-id) $(call option,MCHID,mchid) \
		$(call options,PLATFORM_CERTIFICATE,platform-certificate) $(call option,ORDER,order) $(ARGS)

.PHONY: expiry
expiry: setup ## when merchants' certificates expire
	@$(OPERATIONS) expiry $(ARGS)

.PHONY: doctor
doctor: setup ## check the stack and a merchant, line by line [MCHID ORDER]
	@$(OPERATIONS) doctor $(call option,MCHID,mchid) $(call option,ORDER,order) $(ARGS)

.PHONY: smoke
smoke: setup ## after a deployment: check, and run one order that charges nobody [EVENT=real.json MCHID]
	@$(OPERATIONS) smoke $(call option,EVENT,event) $(call option,MCHID,mchid) $(ARGS)

.PHONY: stuck
stuck: setup ## list executions that need someone [REASON ORDER SINCE BEFORE ARGS=--failed]
	@$(OPERATIONS) stuck $(selection) $(ARGS)

.PHONY: redrive
redrive: setup ## let interrupted executions go on [REASON ORDER SINCE BEFORE RATE DRY_RUN=1]
	@$(OPERATIONS) redrive $(selection) $(pace) $(ARGS)

.PHONY: resubmit
resubmit: setup ## start those again that are too old to redrive [REASON ORDER SINCE BEFORE RATE DRY_RUN=1]
	@$(OPERATIONS) resubmit $(selection) $(pace) $(ARGS)
