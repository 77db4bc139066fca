# Every command works as the first one on a fresh clone: it sets up and builds what it needs.
.DEFAULT_GOAL := help
PYTHON = .venv/bin/python

# Other people's machines (docs/networks.md): no proxy stands before loopback, one mirror serves pip and uv, modules of
# somebody's PYTHONPATH do not take the place of ours, and a terminal that lacks a character shows another.
comma := ,
export NO_PROXY := 127.0.0.1,localhost$(addprefix $(comma),$(or $(NO_PROXY),$(no_proxy)))
export no_proxy := $(NO_PROXY)
mirror := $(or $(UV_DEFAULT_INDEX),$(UV_INDEX_URL),$(PIP_INDEX_URL))
ifneq ($(mirror),)
export UV_DEFAULT_INDEX := $(mirror)
export PIP_INDEX_URL := $(mirror)
endif
unexport UV_INDEX_URL PYTHONPATH PYTHONHOME
export PYTHONIOENCODING := $(if $(findstring :,$(PYTHONIOENCODING)),$(PYTHONIOENCODING),$(PYTHONIOENCODING):replace)

# `reads.TARGET` are the variables of a target: what is given on the command line and no target of the call reads, or
# is given empty, is refused (at the end of this file): a misspelt DRY_RUN or ORDER would act for real, or on everything.
stack = STACK_NAME AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE

.PHONY: help
help: ## this list
	@echo "make <command> [NAME=value ...]"
	@awk -F ' = |:.*## ' '/^reads\./ { reads = $$2; sub(/ ?\$$\(stack\)/, "", reads) } \
		/^[a-z-]+:.*## / { printf "  %-13s %s%s\n", $$1, $$2, reads ? " [" reads "]" : ""; reads = "" }' Makefile
	@echo "What works on a stack also reads $(stack)."

.PHONY: setup
setup: ## create .venv and the functions' interpreter from uv.lock
	@sh tools/bootstrap.sh

.PHONY: build
reads.build = ARCHITECTURE
build: setup ## sam build of what ships, when it has changed; for arm64 too
	@$(PYTHON) -m tools.build $(ARCHITECTURE)

# What the local stack runs: the same build, with this machine's wheels where Lambda's do not run.
.PHONY: local-build
local-build: setup
	@$(PYTHON) -m tools.build host

.PHONY: demo
demo: local-build ## settle sample orders on an embedded AWS, show what happened, stop everything
	@$(PYTHON) -m local.demo

.PHONY: demo-picture
demo-picture: local-build ## run the demo and draw its report into docs/demo.svg
	@$(PYTHON) -m local.demo docs/demo.svg

.PHONY: chaos
reads.chaos = ORDERS RATE SEED
chaos: local-build ## settle orders under fire, then audit the ledger
	@$(PYTHON) -m chaos $(if $(ORDERS),--orders $(ORDERS)) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED))

.PHONY: simulate
reads.simulate = ORDERS SEED TRACE
simulate: setup ## settle orders under a virtual clock, all from one seed; TRACE=<out_order_no> prints one life
	@$(PYTHON) -m simulation $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED)) $(if $(TRACE),--trace '$(TRACE)')

# Longer runs of the simulation: by seed in all processors (started again, it goes on), every sequence of
# disturbances for one order, and bugs planted in the product.
.PHONY: simulate-night simulate-all simulate-cells planted
reads.simulate-night = ORDERS SEED
simulate-night: setup ## the simulation in all processors, seed after seed; started again, it goes on
	@$(PYTHON) -m simulation.night $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED))

reads.simulate-cells = ORDERS SEED
simulate-cells: setup ## which rows of the decision tables the simulation reached, in which state, by which fault
	@$(PYTHON) -m simulation.cells $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED))

simulate-all: setup ## every sequence of disturbances for one order
	@$(PYTHON) -m simulation.exhaustive

planted: setup ## plant bugs in the product; the simulation has to find each
	@$(PYTHON) -m simulation.planted

.PHONY: test
reads.test = ARGS
test: local-build ## run the tests, or some: ARGS="tests/unit -k fees"
	@$(PYTHON) -m pytest -n 2 --ignore=tests/engines $(ARGS)

.PHONY: engines
reads.engines = ARGS
engines: setup ## run the workflow in two interpreters that have to agree [ARGS="-k overdue"]
	@$(PYTHON) -m pytest -n 2 tests/engines $(ARGS)

.PHONY: commands
reads.commands = ARGS
commands: local-build ## the commands of README, reference and runbook, run as they stand on one local stack
	@$(PYTHON) -m pytest tests/docs/commands $(ARGS)

.PHONY: browser
reads.browser = ARGS
browser: local-build ## the console's tests in a real browser, which a lock file brings
	@$(PYTHON) -m pytest tests/browser $(ARGS)

.PHONY: screenshots
screenshots: local-build ## take the pictures of README and docs again
	@PYTHONPATH=layers/wechatpay:functions $(PYTHON) -m tools.screenshots

.PHONY: fuzz
reads.fuzz = EXAMPLES ARGS
fuzz: setup ## the property tests, with many new examples of each
	@HYPOTHESIS_PROFILE=long $(if $(EXAMPLES),HYPOTHESIS_EXAMPLES=$(EXAMPLES)) \
		$(PYTHON) -m pytest -n 2 -m hypothesis tests/unit $(ARGS)

.PHONY: mutants
reads.mutants = FILES
mutants: setup ## plant bugs where money depends on the code, as FILES=order.py; a test has to see each
	@$(PYTHON) -m tools.mutants $(FILES)

.PHONY: up
reads.up = AWS_PORT WECHATPAY_HOSTS PARAMS WAIT_SCALE
up: setup ## keep a local stack running, until `make down`
	@$(PYTHON) -m local.settings
	@$(PYTHON) -m tools.build host
	@$(PYTHON) -m local.up

.PHONY: reload
reload: local-build ## put what has changed in functions/, layers/, statemachine/ or template.yaml onto the running stack
	@$(PYTHON) -m local.reload

.PHONY: down
down: setup ## stop the local stack and remove what it left
	@$(PYTHON) -m local.down

.PHONY: settle
reads.settle = EVENT FAULT
settle: setup ## settle one order on the running stack: EVENT=events/completed.json; FAULT=silence_applied injects that fault once
	@$(PYTHON) -m local.settle "$(call path,EVENT)" "$(FAULT)"

.PHONY: fault
reads.fault = ORDER FAULT
fault: setup ## let the next completion of an order meet a fault, once; without FAULT= it lists them
	@$(PYTHON) -m local.sandbox "$(ORDER)" "$(FAULT)"

.PHONY: check
check: setup ## lint, types, template and workflow checks, security review, leaks
	@$(PYTHON) -m tools.checks

.PHONY: bench
reads.bench = ARGS
bench: build ## measure everything and write docs/benchmarks.md
	@$(PYTHON) -m benchmarks $(ARGS)

.PHONY: bench-console
bench-console: local-build ## the console's list with 1,000 orders in a browser: page and first update under 200 ms
	@PYTHONPATH=layers/wechatpay:functions $(PYTHON) -m benchmarks.console

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
reads.deploy = ARGS ARCHITECTURE AWS_REGION AWS_DEFAULT_REGION AWS_PROFILE
deploy: build ## deploy to AWS, guided: ARGS="--config-env aws", in AWS China "--config-env cn"
	@SAM_CLI_TELEMETRY=0 .venv/bin/sam deploy --guided $(ARGS)

# The operator's commands: on AWS as the AWS CLI is configured, or on the local stack after `. .local/env`.
# STACK_NAME, AWS_REGION and AWS_PROFILE count; `python -m operations COMMAND --help` tells every option, for ARGS.
OPERATIONS = PYTHONPATH=layers/wechatpay:functions $(PYTHON) -m operations
# Not every shell replaces the ~ of NAME=~/directory.
path = $(patsubst ~/%,$(HOME)/%,$($(1)))
option = $(if $($(1)),--$(2) "$(call path,$(1))")
options = $(foreach each,$($(1)),--$(2) "$(each)")
selection = $(call options,REASON,reason) $(call options,ORDER,order) $(call options,MCHID,mchid) \
	$(call option,SINCE,since) $(call option,BEFORE,before)
pace = $(if $(DRY_RUN),--dry-run) $(call option,RATE,rate)

.PHONY: merchant
reads.merchant = FILES
merchant: setup ## write the simulated merchant's files, to try make secret with
	@$(PYTHON) -m local.merchant "$(call path,FILES)"

.PHONY: sandbox
reads.sandbox = ARGS
sandbox: setup ## run the WeChat Pay sandbox alone, for any client
	@$(PYTHON) -m wechatpay_sandbox $(ARGS)

.PHONY: sandbox-wheel
sandbox-wheel: setup ## leave the sandbox as a wheel in dist/
	@PATH="$$PWD/.local/uv/bin:$$PATH" uv build --quiet --wheel --out-dir dist simulator

.PHONY: sandbox-test
reads.sandbox-test = ARGS
sandbox-test: setup ## the sandbox's wheel in an empty environment: wechatpayv3 takes an order to its payment
	@$(PYTHON) -m pytest tests/wheel $(ARGS)

.PHONY: secret
reads.secret = FILES PUBLIC_KEY_ID APPID SERVICE_ID ORDER_API MCHID PLATFORM_CERTIFICATE ORDER ARGS $(stack)
secret: setup ## store or rotate a merchant's secret, proven first
	@$(OPERATIONS) secret $(call option,FILES,files) $(call option,PUBLIC_KEY_ID,public-key-id) \
		$(call option,APPID,appid) $(call option,SERVICE_ID,service-id) $(call option,ORDER_API,order-api) $(call option,MCHID,mchid) \
		$(call options,PLATFORM_CERTIFICATE,platform-certificate) $(call option,ORDER,order) $(ARGS)

.PHONY: expiry
reads.expiry = ARGS $(stack)
expiry: setup ## when merchants' certificates expire
	@$(OPERATIONS) expiry $(ARGS)

.PHONY: doctor
reads.doctor = MCHID ORDER ARGS $(stack)
doctor: setup ## check the stack and a merchant, line by line
	@$(OPERATIONS) doctor $(call option,MCHID,mchid) $(call option,ORDER,order) $(ARGS)

.PHONY: smoke
reads.smoke = EVENT MCHID ORDER ARGS $(stack)
smoke: setup ## after a deployment: check, and run one order that charges nobody
	@$(OPERATIONS) smoke $(call option,EVENT,event) $(call option,MCHID,mchid) $(call option,ORDER,order) $(ARGS)

.PHONY: show
reads.show = ORDER MCHID SINCE ARGS $(stack)
show: setup ## one order's life: request, attempts, calls, events, what to do next; ARGS="--no-query --json"
	@$(OPERATIONS) show --order "$(ORDER)" $(call option,MCHID,mchid) $(call option,SINCE,since) $(ARGS)

.PHONY: console
reads.console = ARGS $(stack)
console: setup ## pages in a browser over a deployed stack, with your own AWS credentials; on 127.0.0.1
	@$(OPERATIONS:operations=console) $(ARGS)

.PHONY: sync
reads.sync = ORDER PAID_AT MCHID ARGS $(stack)
sync: setup ## report an order as paid at the counter, which stops WeChat Pay collecting it: PAID_AT=20261125140300
	@$(OPERATIONS) sync --order "$(ORDER)" --paid-at "$(PAID_AT)" $(call option,MCHID,mchid) $(ARGS)

.PHONY: stuck
reads.stuck = REASON ORDER MCHID SINCE BEFORE ARGS $(stack)
stuck: setup ## list executions that need someone
	@$(OPERATIONS) stuck $(selection) $(ARGS)

.PHONY: redrive
reads.redrive = REASON ORDER MCHID SINCE BEFORE RATE DRY_RUN ARGS $(stack)
redrive: setup ## let interrupted executions go on; DRY_RUN=1 shows which
	@$(OPERATIONS) redrive $(selection) $(pace) $(ARGS)

.PHONY: resubmit
reads.resubmit = REASON ORDER MCHID SINCE BEFORE RATE DRY_RUN ARGS $(stack)
resubmit: setup ## start again what is too old to redrive, or whose cause is corrected: REASON=REJECTED
	@$(OPERATIONS) resubmit $(selection) $(pace) $(ARGS)

given := $(foreach each,$(.VARIABLES),$(if $(findstring command line,$(origin $(each))),$(each)))
given := $(filter-out MAKEFLAGS MAKEOVERRIDES -%,$(given))
goals := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
hash := \#
ifneq ($(filter $(hash),$(goals)),)
$(error the comment of the line reached make: in zsh type setopt interactive_comments first 请先执行该命令)
endif
read := $(foreach goal,$(goals),$(reads.$(goal)))
unread := $(filter-out $(read),$(given))
empty := $(strip $(foreach each,$(given),$(if $(strip $(value $(each))),,$(each))))
ifneq ($(unread),)
missing := $(filter-out $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile),$(goals))
$(if $(missing),$(error there is no make $(missing): make help lists what there is 没有这个命令))
$(error make $(goals) does not read $(unread)$(if $(read),: it reads $(read)) 未知变量)
endif
ifneq ($(empty),)
$(error $(empty) is given and empty: leave it out, or give it a value 变量为空)
endif
