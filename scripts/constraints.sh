#!/usr/bin/env bash
# Prints constraints.txt anew: the newest versions of all that pyproject.toml names, and of what these need.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT

"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --editable '.[worker,s3,dev]' flower >&2
echo "# Every package that Pathscope ships with or is checked with, at the version that it was tested with."
echo "# Made by \`make constraints\`, which takes the newest versions; run \`make check test\` after it."
# Without local versions (torch's +cpu), and without the packages that only torch's CUDA build brings.
"$venv/bin/python" -m pip list --disable-pip-version-check --format=freeze --exclude-editable |
    grep -viE '^(pip|setuptools|wheel|triton|nvidia-(cu|nccl|nv)[a-z0-9-]*|cuda-.*)==' | sed 's/+[^+]*$//'
