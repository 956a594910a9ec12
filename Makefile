# The two commands are `make run` and `make test`. Both set up what is missing, also on a machine that has only
# Python 3.11, make and apt: Debian packages when root (services are never started), then a virtual environment.

PORT ?= 9911
WEB_PORT ?= 8080
TESTS ?= tests
ENGINE ?= docker
PYTHON ?= $(shell scripts/find-python)
BIN = .venv/bin
RUN_PACKAGES = curl nginx-light util-linux
ENGINE_PACKAGES = aardvark-dns buildah conmon crun iptables netavark podman runc
BENCH_PACKAGES = prometheus-process-exporter runit s6 supervisor
TEST_PACKAGES = $(RUN_PACKAGES) $(ENGINE_PACKAGES) busybox catatonit chromium cron dumb-init fish fonts-dejavu-core gcc libc6-dev mandoc musl-tools procps openssl prometheus redis-server stress-ng tini zsh

# The tests measure, and what we start must not depend on who called make.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile

run: .venv/run-ready ## a web server under initd as PID 1; PORT=9911 WEB_PORT=8080
	@scripts/demo $(PORT) $(WEB_PORT)

test: lint ## everything: lint, types and all tests; TESTS=tests/core for less
	$(BIN)/python -m pytest $(TESTS)

lint: .venv/test-ready ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/mypy

pages: .venv/test-ready ## what is made by code: man pages, completions, the dashboard
	$(BIN)/python -m scripts.pages
	$(BIN)/python -m scripts.dashboard
	$(BIN)/python -m scripts.monitoring

bundle: .venv/test-ready ## initd for any image, also without Python: dist/bundle/opt/initd, and its tarball
	$(BIN)/python -m scripts.bundle

image: bundle ## two images by docker (ENGINE=podman): initd to build upon, initd-bundle to copy from
	$(ENGINE) build -t initd .
	$(ENGINE) build -t initd-bundle -f deploy/container/bundle.Dockerfile dist/bundle

kubelet: .venv/test-ready ## the pods of deploy/kubernetes on a real kubelet: 4 minutes, and 7 to build it once
	$(BIN)/python -m scripts.kubelet

reliability: .venv/test-ready ## every fault we survive, whole, and the report of it: docs/reliability.md
	$(BIN)/python -m scripts.reliability

bench: .venv/bench-ready bundle ## initd beside every peer, 15 minutes: docs/performance.md
	$(BIN)/python -m tests.bench

dist: .venv/test-ready ## a release: sdist, wheel, bundle, bills of materials, SHA256SUMS
	$(BIN)/python -m scripts.release

pins: .venv/test-ready ## the versions that the image is built with, anew
	$(BIN)/python -m scripts.release.pins

screenshots: .venv/test-ready ## the pictures of the page in the README, from a real scene
	$(BIN)/python -m scripts.screenshots

cover: .venv/test-ready ## the tests, with what they did not reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

clean: ## remove all that was made, the virtual environment too
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp each, so that a second run needs neither time nor network. The script is copied when it is installed.
.venv/run-ready: pyproject.toml scripts/initd | run-packages
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/test-ready: .venv/run-ready | test-packages
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

.venv/bench-ready: .venv/test-ready | bench-packages
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]'
	@touch $@

run-packages:
	@scripts/debian-packages $(PYTHON) $(RUN_PACKAGES)

bench-packages:
	@scripts/debian-packages $(PYTHON) $(BENCH_PACKAGES)

test-packages:
	@scripts/debian-packages $(PYTHON) $(TEST_PACKAGES)

.PHONY: help run test lint pages bundle image kubelet reliability bench dist pins screenshots cover clean run-packages test-packages bench-packages
