# A verb a target; the logic is in Python. `make` alone lists the targets.
PYTHON ?= python3
PYTHON313 ?= python3.13
SEED ?= 1
ROUNDS ?= 1
EXAMPLES ?= 1000000
HOURS ?= 720
KEY ?=
MACHINE ?=
BASE ?=
SAVE ?=
ONLY ?=
RELEASE ?=
ALL ?=
environment = @$(PYTHON) .ci/environment.py --python $(PYTHON)
run = .venv/bin/python -m
units = --unit speed=rpm --unit flow=m3/h --unit pressure=bar --unit motor_current=A --unit vibration=mm/s \
	--unit bearing_temperature=°C --unit ambient_temperature=°C

both_runtimes = $$(test -x .venv-tflite/bin/python && echo --runtime-python .venv-tflite/bin/python)

.PHONY: help demo test test-integrations test-containers test-homeassistant test-arm test-package check docs results bench attack chaos fuzz soak model picture page-pictures report-pictures release image clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

demo: ## normal operation to trained model to live alerts, with a table at the end (SEED=n: other faults)
	$(environment) --demo
	@$(run) firmware_sim.demo --seed $(SEED)

test: ## all tests (PYTHON=python3.13: with another Python)
	$(environment) --tflite-runtime
	$(run) pytest -n 2 --dist loadfile

test-integrations: ## beside Prometheus, Node-RED and a browser themselves
	$(environment) --node
	OFFBEAT_NODE=build/node $(run) pytest -m integration $(addprefix tests/integrations/,prometheus nodered page reports)

test-containers: ## as root: the image and the compose project under podman, some ten minutes
	$(environment)
	$(run) pytest -m integration tests/integrations/containers

test-homeassistant: ## Home Assistant itself beside an agent, some 600 MB (PYTHON313=PATH)
	$(environment) --homeassistant $(PYTHON313)
	OFFBEAT_HOMEASSISTANT=.venv-homeassistant/bin/python $(run) pytest -m integration tests/integrations/homeassistant

test-arm: ## as root: release and edge tests on emulated ARM userlands, half an hour (ONLY=bookworm-arm64 RELEASE=dist)
	$(environment)
	$(run) tests.arm.userlands --only '$(ONLY)' $(if $(RELEASE),--release '$(RELEASE)') $(if $(ALL),--all)

test-package: ## as root: the Debian package under a real systemd, installed, upgraded, purged; five minutes (RELEASE=dist)
	$(environment)
	$(run) tests.release.booted $(if $(RELEASE),--release '$(RELEASE)')

check: ## lint, format and types
	$(environment)
	$(run) ruff check .
	$(run) ruff format --check .
	$(run) mypy

docs: ## write docs/reference and the table of rooms anew from the code
	$(environment)
	@$(run) docs.generate

results: ## write docs/results.md anew from docs/results (ADD=FILE COMMAND='...': take a benchmark's JSON in)
	$(environment)
	@$(run) docs.generate.results $(if $(ADD),--add '$(ADD)' --command '$(COMMAND)')

bench: ## speed beside ONNX Runtime, Keras and River, some ten minutes; writes bench.json (ONLY=windows,arm)
	$(environment) --bench
	@$(run) tests.bench --only '$(ONLY)'

attack: ## what an attacker or a month of chores would do, under 30 minutes (ROUNDS=0.1 ONLY=bundle)
	$(environment)
	$(run) tests.attack --rounds $(ROUNDS) --only '$(ONLY)'

chaos: ## faults made on purpose, under 40 minutes: is an alert ever lost? (ROUNDS=0.1 ONLY=broker SEED=n)
	$(environment)
	$(run) tests.chaos --seed $(SEED) --rounds $(ROUNDS) --only '$(ONLY)'

fuzz: ## a million inputs that nobody would send, about 7 minutes (EXAMPLES=50000 ONLY=outbox SEED=n)
	$(environment)
	$(run) tests.fuzz --examples $(EXAMPLES) --seed $(SEED) --only '$(ONLY)'

soak: ## 30 simulated days at high speed: does the agent grow? about half an hour (HOURS=24)
	$(environment)
	$(run) tests.soak --hours $(HOURS) --seed $(SEED)

model: ## rebuild models/pump from simulated normal operation, for each runtime that can be had
	$(environment) --tflite-runtime
	@mkdir -p build
	$(run) firmware_sim csv --out build/pump.csv --hours 36 --seed 20260105
	$(run) train fit build/pump.csv --out models/pump $(units) $(both_runtimes)

picture: ## redraw the README's picture, light and dark: models/pump on a run with a fault
	$(environment)
	@mkdir -p build
	$(run) firmware_sim csv --out build/fault.csv --start 2026-01-07T10:00Z --seed 5 --labels --fault lost_coupling.flow@22m+20m
	$(run) train.report.picture models/pump build/fault.csv models/detection.svg

page-pictures: ## redraw docs/pictures/page: the live page before made-up machines, in Chromium
	$(environment) --node
	OFFBEAT_NODE=build/node $(run) tests.integrations.page.screenshots

report-pictures: ## redraw docs/pictures/reports: what fit, evaluate and score write, in Chromium; some minutes
	$(environment) --node
	OFFBEAT_NODE=build/node $(run) tests.integrations.reports.screenshots

release: ## wheel, source, .deb, pins with hashes, SBOMs, signed, into dist (KEY=file MACHINE=aarch64)
	$(environment)
	@$(run) release $(if $(KEY),--key '$(KEY)') $(if $(MACHINE),--machine $(MACHINE))

image: ## image of the edge, by podman or docker (BASE=debian: no registry; MACHINE=aarch64; SAVE=file)
	$(environment)
	@$(run) release.image $(if $(BASE),--base '$(BASE)') $(if $(MACHINE),--machine $(MACHINE)) $(if $(SAVE),--save '$(SAVE)')

clean: ## remove environments, caches and what the demo wrote
	rm -rf .venv .venv-* demo-output build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
