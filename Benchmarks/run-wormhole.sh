#!/bin/sh
# Sends a file with kith and with magic-wormhole in one run. Arguments go to wormhole.py.
set -eu
cd "$(dirname "$0")/.."
scratch="${KITH_SCRATCH:-.build}"
environment="$scratch/wormhole-venv"
scripts/release.sh --product kith --scratch-path "$scratch"
if [ ! -x "$environment/bin/python" ]; then
    python3 -m venv "$environment"
fi
"$environment/bin/pip" install --quiet --disable-pip-version-check -r Benchmarks/wormhole-requirements.txt
exec "$environment/bin/python" Benchmarks/wormhole.py \
    --kith "$(scripts/release.sh --scratch-path "$scratch" --show-bin-path)/kith" "$@"
