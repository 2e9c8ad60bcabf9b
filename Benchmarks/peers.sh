#!/bin/sh
# Installs the missing peers that are packages of Debian and Ubuntu. Then puts the relay's load on the peers only.
# Arguments go to `RelayBenchmark peers`.
set -eu
cd "$(dirname "$0")/.."

missing=""
for pair in mosquitto:mosquitto redis-server:redis-server openssl:openssl; do
    PATH="$PATH:/usr/sbin" command -v "${pair%%:*}" > /dev/null || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update
    # shellcheck disable=SC2086 # one word for each package
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
fi

scripts/release.sh --product RelayBenchmark
exec .build/release/RelayBenchmark peers "$@"
