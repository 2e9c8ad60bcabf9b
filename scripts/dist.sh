#!/usr/bin/env bash
# Packs the program with Swift's runtime inside, so that it runs where Swift is not installed.
#
#   scripts/dist.sh                 the archive and its SHA-256, in dist/
#   scripts/dist.sh --sign KEY      also signs the SHA-256 with an SSH key (Docs/operations.md says how it is checked)
set -euo pipefail
cd "$(dirname "$0")/.."

key=
case ${1:-} in
"") ;;
--sign)
    key=${2:?--sign needs the file of an SSH key}
    [ -f "$key" ] || { echo "dist: there is no key $key" >&2; exit 1; }
    ;;
*) echo "usage: scripts/dist.sh [--sign KEY]" >&2; exit 64 ;;
esac

version=$(sed -n 's/.*static let number = "\(.*\)".*/\1/p' Sources/kith/KithProgram.swift)
name="kith-${version:?no version in Sources/kith/KithProgram.swift}-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)"

# The versions checked here are those built: the build resolves nothing anew.
swift package resolve
scripts/versions.sh --check
scripts/release.sh --only-use-versions-from-resolved-file --product kith --static-swift-stdlib
rm -rf "dist/$name"
mkdir -p "dist/$name"
cp .build/release/kith LICENSE README.md CHANGELOG.md packaging/versions.txt "dist/$name/"
strip "dist/$name/kith"
"dist/$name/kith" --version >/dev/null
tar -C dist -czf "dist/$name.tar.gz" "$name"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
if [ -n "$key" ]; then
    rm -f "dist/$name.tar.gz.sha256.sig"
    ssh-keygen -Y sign -f "$key" -n kith-release "dist/$name.tar.gz.sha256"
fi
echo "dist/$name.tar.gz"
