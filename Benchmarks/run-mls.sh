#!/bin/sh
# Measures the MLS module beside mls-rs in one run, and then over growing groups.
#
#   run-mls.sh [--alone] [SIZE...]    --alone leaves mls-rs out; the sizes of the curve are 10 to 10,000 unless given
set -eu
cd "$(dirname "$0")/.."
scratch="${KITH_SCRATCH:-.build}"
environment="$scratch/interop-venv"
scripts/release.sh --product MLSBenchmarks --scratch-path "$scratch"
benchmarks="$(scripts/release.sh --scratch-path "$scratch" --show-bin-path)/MLSBenchmarks"
if [ "${1:-}" = --alone ]; then
    shift
    exec "$benchmarks" --json "$scratch/mls-benchmarks.json" ${@:-10 100 1000 10000}
fi
if [ ! -x "$environment/bin/python" ]; then
    python3 -m venv "$environment"
fi
"$environment/bin/pip" install --quiet --disable-pip-version-check -r Interop/requirements.txt
"$environment/bin/python" Benchmarks/compare.py --benchmarks "$benchmarks" --json "$scratch/mls-compare.json"
exec "$benchmarks" --json "$scratch/mls-benchmarks.json" ${@:-10 100 1000 10000}
