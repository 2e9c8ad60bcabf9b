#!/usr/bin/env bash
# Builds the relay's container image from base images named by digest. A tag alone may name another image tomorrow.
#
#   scripts/container.sh swift:6.3-bookworm@sha256:… debian:bookworm-slim@sha256:… [docker build's options]
#
# The digest of a tag today: docker buildx imagetools inspect swift:6.3-bookworm
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -lt 2 ]; then
    echo "usage: scripts/container.sh BUILD-IMAGE@sha256:… RUN-IMAGE@sha256:… [docker build's options]" >&2
    exit 64
fi
for image in "$1" "$2"; do
    if ! [[ $image =~ @sha256:[0-9a-f]{64}$ ]]; then
        echo "container: $image has no digest; name it as IMAGE:TAG@sha256:…" >&2
        exit 64
    fi
done
build=$1 run=$2
shift 2
exec docker build -f packaging/Dockerfile -t kith-relay --build-arg "BUILD_IMAGE=$build" --build-arg "RUN_IMAGE=$run" "$@" .
