#!/usr/bin/env bash
# Installs the system packages that building and testing need, on Debian and Ubuntu, and those given as arguments. Does
# nothing if all are installed.
set -euo pipefail

# libsqlite3-dev: the relay's store and the vault. libqrencode-dev: invites as QR codes. tmux: the tests of the terminal.
# zbar-tools: the tests of QR codes, which it reads as a camera would. libimage-exiftool-perl: the tests of pictures without
# metadata.
packages=(libsqlite3-dev libqrencode-dev tmux zbar-tools libimage-exiftool-perl "$@")

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done

if ! command -v swift >/dev/null; then
    echo "setup: Swift 6.1 or newer is needed; see https://www.swift.org/install" >&2
    exit 1
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: please install what these Debian packages hold: ${missing[*]}" >&2
    exit 1
fi
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
