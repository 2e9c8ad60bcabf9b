#!/bin/sh
# Random group histories with members of this package and of mls-rs. Arguments go to histories.py.
set -eu
cd "$(dirname "$0")/.."
scratch="${KITH_SCRATCH:-.build}"
environment="$scratch/interop-venv"
scripts/release.sh --product mls-peer --scratch-path "$scratch"
if [ ! -x "$environment/bin/python" ]; then
    python3 -m venv "$environment"
fi
"$environment/bin/pip" install --quiet --disable-pip-version-check -r Interop/requirements.txt
exec "$environment/bin/python" Interop/histories.py \
    --peer "$(scripts/release.sh --scratch-path "$scratch" --show-bin-path)/mls-peer" "$@"
