# make demo: the main job on real files.  make test: all tests.  make lint, bench, site, tour, coverage, fuzz, audit: see docs/contributing.md.
PYTHON ?= python3
# Two workers more than there are processors: many tests wait for somebody, and what they leave is taken by whoever is done first.
PYTEST_ARGS ?= -n $(shell expr $$(nproc 2>/dev/null || echo 2) + 2) --dist worksteal
VENV := .venv
BIN := $(VENV)/bin
SHELL_FILES := tests/demo.sh tests/provision.sh .ci/run $(wildcard shell/*.sh shell/*.bash)

.PHONY: demo test lint bench site tour coverage fuzz audit clean

# Two stamps: the package as users get it, and with the development extras. Byte code is compiled here, as pip does for a wheel: an
# editable install would otherwise compile on every start where PYTHONDONTWRITEBYTECODE is set. Python before 3.12 puts setuptools into the
# environment, which is a millisecond at every start; pipx and uv do not.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip uninstall --quiet --disable-pip-version-check --yes setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/developed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/python -m compileall -q prontodb
	PATH="$(abspath $(BIN)):$$PATH" bash tests/demo.sh

test: $(VENV)/developed
	bash tests/provision.sh
	$(BIN)/python -m compileall -q prontodb
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m tests.reference --check
	$(BIN)/python -m tests.tour --check
	$(BIN)/shellcheck $(SHELL_FILES)
	$(BIN)/shfmt --diff --indent 4 $(SHELL_FILES)

# Not --quiet: the generator would not count what it does not say.
site: $(VENV)/developed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The picture in the README, recorded anew in a real terminal.
tour: $(VENV)/developed
	$(BIN)/python -m tests.tour

# What the tests reach, by branch, in this process and in those that they start. Tests of clocks and signals may fail under it: that does not stop it.
PURE := prontodb/address.py,prontodb/model.py,prontodb/durations.py,prontodb/xstream/*.py,prontodb/helper/protocol.py,prontodb/shellwords.py
coverage: $(VENV)/developed
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 --include='$(PURE),prontodb/resolve.py,prontodb/urls.py'

# Random addresses, tokens, frames, templates and command lines: more than in a run of the tests, and others each time. Some minutes.
FUZZED := addresses durations xstream helper_protocol templates fuzz
fuzz: $(VENV)/developed
	CI= PRONTO_TEST_EXAMPLES=5000 PRONTO_TEST_LINES=20000 PRONTO_TEST_SEED=$$(date +%s) \
		$(BIN)/python -m pytest $(PYTEST_ARGS) $(FUZZED:%=tests/test_%.py)

# What is known against the packages that are installed, those of development included. Not in .ci/run: its answer changes by itself.
audit: $(VENV)/developed
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python -m pip freeze --exclude-editable >build/audit/installed
	build/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement build/audit/installed

bench: $(VENV)/developed
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) dist build .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
