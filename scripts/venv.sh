#!/usr/bin/env bash
# Makes or updates .venv with the pinned packages; does nothing where pyproject.toml and constraints.txt are unchanged.
# scripts/venv.sh run|dev     dev: with the tools for checks and tests
set -euo pipefail
cd "$(dirname "$0")/.."
kind=$1

fail() { echo "pathscope: $*" >&2; exit 1; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, found $("${PYTHON:-python3}" --version 2>&1 | head -n 1); install it, e.g. sudo apt-get install python3, or name one with PYTHON=/path/to/python3"
}

make_venv() {
    local python
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module; install it: sudo apt-get install python3-venv"
    echo "Making the virtual environment .venv with $("$python" --version) …"
    "$python" -m venv --clear .venv || fail "cannot make .venv in $PWD"
}

install() {
    local what=$1
    echo "Installing the pinned packages of constraints.txt; the first time takes some minutes …"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable "$what" ||
        fail "pip could not install the packages; its message stands above"
}

fingerprint() { cat pyproject.toml constraints.txt scripts/venv.sh | sha256sum | cut -d ' ' -f 1; }

# Two at once on one checkout take turns.
exec 9> .venv.lock
flock 9

.venv/bin/python -c 'import pip' 2>/dev/null || make_venv
wanted=$(fingerprint)
installed() { [ "$(cat ".venv/installed-$1" 2>/dev/null)" = "$wanted" ]; }
case $kind in
    run) installed run || installed dev || { install '.[worker]'; echo "$wanted" > .venv/installed-run; } ;;
    dev) installed dev || { install '.[worker,dev]'; echo "$wanted" > .venv/installed-dev; } ;;
    *) fail "scripts/venv.sh takes run or dev, found $kind" ;;
esac
