# Everything runs inside .venv, which deploy/bootstrap.py makes from the hashed lock.
# A command takes arguments through ARGS: make run ARGS="--speed 60", make test ARGS="-k clock"
.DEFAULT_GOAL := run
.PHONY: run test check docs pictures bench bench-all proof soak faults lock clean _check _test _lock

ARGS ?=
JOBS ?= 4
PYTHON ?= python3
BOOTSTRAP := $(PYTHON) deploy/bootstrap.py

run:     ## the demonstration site; the board is at http://127.0.0.1:8787
	@$(BOOTSTRAP) run $(ARGS)

test:    ## all tests; some of them: make test ARGS="-k clock"
	@$(BOOTSTRAP) exec $(MAKE) --no-print-directory _test

check:   ## style, types, floor plan
	@$(BOOTSTRAP) exec $(MAKE) --no-print-directory _check

bench:   ## measurements, printed; no test depends on them
	@$(BOOTSTRAP) exec python -m pytest -q -s tests/bench --ignore=tests/bench/test_province.py $(ARGS)

SHORT ?=
PROVINCE := tests/bench/test_province.py tests/bench/test_starting.py
bench-all: ## what a province asks, in one report (about 20 min, alone on the machine); make bench-all SHORT=1
	@HUIYING_BENCH=$(if $(SHORT),short) $(BOOTSTRAP) exec python -m pytest -q -s $(PROVINCE) $(ARGS)

SIGNALS ?= 30000
CLOCKS ?= 5000
RATE ?= 300
proof:   ## a province whose parts are killed; make proof SIGNALS=1000000 CLOCKS=100000 RATE=1000
	@SIGNALS=$(SIGNALS) CLOCKS=$(CLOCKS) RATE=$(RATE) $(BOOTSTRAP) exec python -m pytest -q -s tests/proof/test_province.py $(ARGS)

DAYS ?= 22
DAY_S ?= 14
ENGINE ?= sqlite
soak:    ## weeks of the site in minutes, memory by day; make soak DAYS=60 ENGINE=postgresql
	@DAYS=$(DAYS) DAY_S=$(DAY_S) ENGINE=$(ENGINE) $(BOOTSTRAP) exec python -m pytest -q -s tests/proof/test_soak.py $(ARGS)

FAULTS := tests/faults tests/core/test_time_properties.py tests/ledger/test_time_properties.py tests/river/test_kafka.py tests/river/test_two_machines.py tests/edges/test_api_contract.py
faults:  ## the long campaign: kills, outages, full disks, stepped clocks, random nights
	@HUIYING_FAULTS=long $(BOOTSTRAP) exec python -m pytest -q -s $(FAULTS) $(ARGS)

docs:    ## draw the floor plan and the river anew from the code: docs/pictures/*.svg
	@PYTHONPATH=tests $(BOOTSTRAP) exec python -m support.drawing

pictures: ## photograph the pages anew for the guides (needs Chromium): docs/pictures/*.png
	@PYTHONPATH=tests $(BOOTSTRAP) exec python -m support.pictures $(ARGS)

lock:    ## write the locks anew (needs uv); no index address gets in
	@command -v uv >/dev/null || { echo "uv is missing; mend it with: pipx install uv" >&2; exit 1; }
	@$(MAKE) --no-print-directory _lock OUT=requirements.lock EXTRAS="--extra build --extra tracing"
	@$(MAKE) --no-print-directory _lock OUT=requirements-dev.lock EXTRAS="--extra build --extra tracing --extra dev -c requirements.lock"

clean:   ## what can be made again; never a site's data
	rm -rf .venv .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache build dist tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Four at once on two cores, for most tests wait for others; what aims at moments has a core to itself.
_test:
ifeq ($(strip $(ARGS)),)
	pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder --ignore=tests/faults
	pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests/faults
else
	pytest $(ARGS)
endif

_check:
	ruff check .
	ruff format --check .
	mypy
	lint-imports

_lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate $(EXTRAS) pyproject.toml -o $(OUT)
