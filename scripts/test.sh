#!/usr/bin/env bash
# Install everything the tests need and run them all: bash scripts/test.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

python=$(command -v python3.11 || command -v python3)
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/pip install --quiet -r requirements.txt -r requirements-dev.txt

# Chromium: the system's, else Debian's package, else Playwright's own.
if ! command -v chromium chromium-browser google-chrome >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -y -qq chromium >/dev/null
  else
    .venv/bin/playwright install chromium
  fi
fi

.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
.venv/bin/lint-imports
# A worker a core; a file a worker, in the order that tests/conftest.py gives them.
.venv/bin/python -m pytest -m "not slow" -n auto --dist loadfile --no-loadscope-reorder "$@"
