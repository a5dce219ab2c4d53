# Every command of the project. `make help` lists them.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest
# One worker a core, each with one thread: more would wait for each other.
SIDE_BY_SIDE := --numprocesses=auto --no-loadscope-reorder
# pip's own find-links setting, which uv does not read.
FIND   := $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)")

# SMALL=1: of the benchmarks of quality and training their small forms, as the tests run them.
override SMALL := $(if $(SMALL),--small)

# Compiled modules are kept: without them each command would spend its time compiling them anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-slow lint types format serve dev lock bench bench-demo bench-mart bench-taste bench-new-york bench-movielens bench-checks bench-diff bench-quality bench-serving bench-train train-quality architecture reference dictionary bench-cuda bench-embed bench-train-steps bench-halves bench-index bench-neighbours bench-continuous bench-commands bench-counting

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP)  ## make .venv from the lock file

$(VENV)/bin/uv:
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>&1 | grep -v 'is ignored: it is neither' || true

$(STAMP): requirements.lock pyproject.toml | $(VENV)/bin/uv
	@echo "Setting up $(VENV) from requirements.lock (about 2 GB, once) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(FIND) --requirements requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)  ## run the main job on a sample city, ask the service, print what came out
	@$(BIN)/tastemate demo

test: $(STAMP)  ## run every test; names what it could not run (TASTEMATE_REQUIRE=all: that fails)
	@OMP_NUM_THREADS=1 $(PYTEST) $(SIDE_BY_SIDE)

test-fast: $(STAMP)  ## run the tests that start no whole job, service or stock tool
	@OMP_NUM_THREADS=1 $(PYTEST) $(SIDE_BY_SIDE) -m "not slow"

test-slow: $(STAMP)  ## run the others
	@OMP_NUM_THREADS=1 $(PYTEST) $(SIDE_BY_SIDE) -m slow

bench: bench-demo bench-taste bench-halves bench-index bench-neighbours bench-new-york bench-movielens bench-checks bench-diff  ## run every benchmark but bench-mart; half an hour and more

bench-demo: $(STAMP)  ## time the demo, set-up done, beside commit d71da48, and the making of a large sample city
	@$(BIN)/python -m tests.bench.demo

bench-mart: $(STAMP)  ## time ingest and build of 1, 10 and 30 million events beside their floors; half an hour
	@$(BIN)/python -m tests.bench.mart

bench-taste: $(STAMP)  ## measure how far neighbours share the sample city's planted taste
	@$(BIN)/python -m tests.bench.taste

bench-counting: $(STAMP)  ## rank all that counts on the sample city and the public data, and tell what the gate goes by; SETS="city nyc ml-1m beauty"
	@$(BIN)/python -m tests.bench.counting $(if $(SETS),--sets $(SETS))

bench-halves: $(STAMP)  ## ask whether the nearest to half a MovieLens history is its other half, beside other vectors
	@$(BIN)/python -m tests.bench.taste_halves

bench-neighbours: $(STAMP)  ## measure what the nearest people are like, and vectors of few events and unseen places
	@$(BIN)/python -m tests.bench.neighbours

bench-index: $(STAMP)  ## search among a million people, exactly and approximately
	@$(BIN)/python -m tests.bench.index

bench-new-york: $(STAMP)  ## time the main job on New York check-ins, and rank against baselines
	@$(BIN)/python -m tests.bench.main_job foursquare_nyc

bench-diff: $(STAMP)  ## time finding which of a million rows differ
	@$(BIN)/python -m tests.bench.diff

bench-movielens: $(STAMP)  ## time the main job on MovieLens, and rank against baselines
	@$(BIN)/python -m tests.bench.main_job ml-1m

bench-checks: $(STAMP)  ## propose how often to check on 200 known histories, beside an oracle
	@$(BIN)/python -m tests.bench.checks

train-quality: $(STAMP)  ## train what bench-quality compares, DATASET=ml-1m|nyc|beauty; goes on where it was stopped
	@$(BIN)/python -m tests.bench.quality_runs $(or $(DATASET),$(error DATASET is missing: ml-1m, nyc or beauty)) $(SMALL)

bench-quality: $(STAMP)  ## rank the trained models beside baselines and published figures, DATASET=ml-1m|nyc|beauty
	@$(BIN)/python -m tests.bench.quality $(or $(DATASET),$(error DATASET is missing: ml-1m, nyc or beauty)) $(SMALL)

bench-train: $(STAMP)  ## time our trainer beside transformers' BertForMaskedLM on MovieLens; a quarter of an hour
	@$(BIN)/python -m tests.bench.train $(SMALL)

bench-serving: $(STAMP)  ## time an answer in each form that a network can be served in, on what train-quality made
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench.serving

bench-train-steps: $(STAMP)  ## the speeds of bench-train alone, a step of each in turn
	@$(BIN)/python -m tests.bench.train_steps

bench-cuda: $(STAMP)  ## measure training on a CUDA card beside what the card can, PARTS="card steps places embed" DATA=SET MODEL=MODEL
	@$(BIN)/python -m tests.bench.cuda $(if $(PARTS),--parts $(PARTS)) $(if $(DATA),--data $(DATA)) $(if $(MODEL),--model $(MODEL))

bench-embed: $(STAMP)  ## time vectors and best places of everyone in ML-1M, and project to 100 million people
	@$(BIN)/python -m tests.bench.embed

bench-commands: $(STAMP)  ## processor time of small commands, beside commit d71da48; a quarter of an hour, once more for its set-up
	@$(BIN)/python -m tests.bench.commands

bench-continuous: $(STAMP)  ## train New York day by day from scratch, from the last weights, and not; goes on where stopped
	@$(BIN)/python -m tests.bench.continuous

lint: $(STAMP)  ## lint, formatting, import layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

reference: $(STAMP)  ## write what docs/reference/ has of the code anew: verbs, settings, endpoint, JSON, dictionary
	@$(BIN)/python -m orchestration.cli.reference

dictionary: $(STAMP)  ## write docs/reference/data-dictionary.md alone, from the dbt project's YAML
	@$(BIN)/python -m orchestration.warehouse.data_dictionary

architecture: $(STAMP)  ## draw docs/pictures/architecture.svg anew from the imports
	@$(BIN)/python -m tests.architecture

types: $(STAMP)  ## check types and SQL style
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint dbt_project/models

format: $(STAMP)  ## format the Python code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

serve: $(STAMP)  ## serve the champion of .tastemate/ over HTTP on loopback
	@$(BIN)/tastemate serve

dev: $(STAMP)  ## open Dagster's web interface with the whole graph
	@$(BIN)/tastemate dev

lock: | $(VENV)/bin/uv  ## pin every dependency anew in requirements.lock
	@echo 'torch==2.13.0' > $(VENV)/torch.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	    --group dev --constraint $(VENV)/torch.txt $(FIND) --output-file $(VENV)/new.lock pyproject.toml
	@# torch alone goes without hash and local suffix: each machine takes the build that its index offers.
	@$(BIN)/python -c "import re, sys; print(re.sub(r'^(torch==[0-9.]+).*(\n    --hash.*)*', r'\1', sys.stdin.read(), flags=re.M), end='')" \
	    < $(VENV)/new.lock > requirements.lock
	@# MLflow's page apart: of the client's version, the rest as above where MLflow takes it.
	@cp requirements.lock requirements-mlflow.lock
	@sed -n 's/^mlflow-skinny\(==[0-9.]*\).*/mlflow\1/p' requirements.lock > $(VENV)/mlflow.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --no-header --no-annotate \
	    --output-file requirements-mlflow.lock $(VENV)/mlflow.txt
