#!/usr/bin/env bash
# Compares the pinned packages with the published vulnerabilities: 1 where one is known, 2 where not all could be asked.
set -uo pipefail
cd "$(dirname "$0")/.."

pinned=$(grep -c '==' constraints.txt)
found=$("${PYTHON:-python3}" -m pip_audit --requirement constraints.txt --no-deps --disable-pip \
    --progress-spinner off --timeout 20 2>&1)
code=$?
skipped=$(grep -c 'could not be audited' <<< "$found")

if [ "$code" -ne 0 ] && grep -q 'Found [0-9]* known vulnerabilit' <<< "$found"; then
    printf '%s\n' "$found"
    exit 1
elif [ "$code" -ne 0 ] || [ "$skipped" -gt 0 ]; then
    [ "$code" -eq 0 ] || { tail -n 5 <<< "$found"; skipped=$pinned; }
    echo "pathscope: $skipped of $pinned packages are NOT audited: the registry does not tell their vulnerabilities" >&2
    exit 2
fi
echo "pathscope: no vulnerability is known in any of the $pinned packages"
